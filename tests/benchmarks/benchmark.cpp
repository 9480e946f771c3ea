// SPDX-License-Identifier: MIT
#include "benchmark.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qjsondocument.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

std::map<std::string, Benchmark> &benchmarks()
{
    static std::map<std::string, Benchmark> all;
    return all;
}

void Bench::unavailable(const QString &figure, const QString &reason)
{
    Figure row;
    row.name = figure;
    row.note = reason;
    add(row);
}

QJsonObject Bench::runPart(const QString &partName) const
{
    QStringList arguments{ QStringLiteral("--isolated"), name,
                           QStringLiteral("--part"),     partName,
                           QStringLiteral("--runs"),     QString::number(runs) };
    if (smoke)
        arguments += QStringLiteral("--smoke");
    const QJsonObject answer = runSelf(arguments);
    const QString failure = answer.value(u"failure").toString();
    if (!failure.isEmpty())
        throw Failure(failure);
    return answer.value(u"result").toObject();
}

QString helper(const char *name)
{
    return QCoreApplication::applicationDirPath() + u'/' + QLatin1String(name);
}

// With posix_spawn and a pipe: neither of the two subjects of the comparison is used to run it.
QJsonObject runSelf(const QStringList &arguments)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        throw Failure(QStringLiteral("pipe2: %1").arg(QString::fromLocal8Bit(strerror(errno))));

    QList<QByteArray> strings{ QCoreApplication::applicationFilePath().toLocal8Bit() };
    for (const QString &argument : arguments)
        strings += argument.toLocal8Bit();
    strings += QByteArrayLiteral("--answer");
    strings += QByteArray::number(ends[1]);
    QList<char *> argv;
    for (QByteArray &string : strings)
        argv += string.data();
    argv += nullptr;

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // onto itself: it stays open in the child
    posix_spawn_file_actions_adddup2(&actions, ends[1], ends[1]);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);

    QByteArray answer;
    if (error == 0) {
        char buffer[16384];
        ssize_t count;
        while ((count = read(ends[0], buffer, sizeof buffer)) > 0
               || (count < 0 && errno == EINTR)) {
            if (count > 0)
                answer.append(buffer, count);
        }
    }
    close(ends[0]);
    if (error != 0)
        throw Failure(
                QStringLiteral("posix_spawn: %1").arg(QString::fromLocal8Bit(strerror(error))));

    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) { }
    const QJsonDocument document = QJsonDocument::fromJson(answer);
    if (!document.isObject()) {
        throw Failure(WIFSIGNALED(status)
                              ? QStringLiteral("ended by signal %1").arg(WTERMSIG(status))
                              : QStringLiteral("ended with code %1").arg(WEXITSTATUS(status)));
    }
    return document.object();
}
