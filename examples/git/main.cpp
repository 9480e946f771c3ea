// SPDX-License-Identifier: MIT
#include "git.h"

#include <QDir>
#include <QMap>
#include <QTextStream>

#include <cstdio>

using namespace ProcessKit;
using namespace Qt::StringLiterals;

namespace {

// The value of an answer; the first error of all is told, and ends the program.
template<typename T>
T valueOf(const QFuture<Expected<T>> &answer)
{
    const Expected<T> value = answer.result();
    if (!value) {
        QTextStream(stderr) << value.error().diagnostic().trimmed() << '\n';
        std::exit(1);
    }
    return *value;
}

QString changeText(const FileDiff &diff)
{
    if (diff.added < 0)
        return u"binary"_s;
    return u"%1 added, %2 removed"_s.arg(diff.added).arg(diff.removed);
}

QString statusText(const FileStatus &file)
{
    const QChar letter = file.workTree == u' ' ? file.index : file.workTree;
    if (file.originalPath.isEmpty())
        return u"%1 %2"_s.arg(letter).arg(file.path);
    return u"%1 %2 -> %3"_s.arg(letter).arg(file.originalPath, file.path);
}

} // namespace

int main()
{
    // all at the same time
    const Git git(QDir::currentPath());
    const auto topLevel = git.topLevel();
    const auto branch = git.currentBranch();
    const auto status = git.status();
    const auto diff = git.diff();
    const auto log = git.log(5);

    QTextStream out(stdout);
    const QString directory = valueOf(topLevel);
    const QString branchName = valueOf(branch);
    const QList<FileStatus> files = valueOf(status);
    QMap<QString, QString> changes;
    for (const FileDiff &file : valueOf(diff))
        changes.insert(file.path, changeText(file));

    out << directory << " on " << (branchName.isEmpty() ? u"no branch"_s : branchName) << ", "
        << files.size() << (files.size() == 1 ? " change\n" : " changes\n");
    for (const FileStatus &file : files) {
        const QString change = changes.value(file.path);
        const QString text = statusText(file);
        out << "  " << (change.isEmpty() ? text : text.leftJustified(30) + u' ' + change) << '\n';
    }
    for (const Commit &commit : valueOf(log))
        out << commit.id << "  " << commit.time.date().toString(Qt::ISODate) << "  "
            << commit.author << "  " << commit.subject << '\n';
}
