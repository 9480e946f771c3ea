// SPDX-License-Identifier: MIT
#include "snippets.h"

Command shell(const QString &script)
{
    return Command("/bin/sh", { "-c", script });
}

bool Snippets::enterRepository()
{
    qputenv("GIT_CONFIG_GLOBAL", "/dev/null");
    qputenv("GIT_CONFIG_NOSYSTEM", "1");
    const QString directory = temporaryPath("repository");
    if (!QFile::exists(directory)) {
        const Command git = Command("git").withArguments(
                { "-c", "user.name=Ada", "-c", "user.email=ada@example.org" });
        if (!git.which() || !git.withMoreArguments({ "init", "-q", directory }).run().result()
            || !git.withMoreArguments({ "commit", "-q", "--allow-empty", "-m", "First" })
                        .withWorkingDirectory(directory)
                        .run()
                        .result())
            return false;
    }
    return QDir::setCurrent(directory);
}

QString Snippets::writeFile(const QString &name, const QByteArray &content) const
{
    QFile file(temporaryPath(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("a file cannot be written");
    return file.fileName();
}

QByteArray Snippets::readFile(const QString &name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QTEST_GUILESS_MAIN(Snippets)
