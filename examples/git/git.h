// SPDX-License-Identifier: MIT
#ifndef GIT_H
#define GIT_H

#include <ProcessKit/CliClient>

#include <QDateTime>

struct Commit
{
    QString id;
    QString author;
    QDateTime time;
    QString subject;
};

// One entry of "git status": X is the index, Y the work tree, see git-status(1).
struct FileStatus
{
    QChar index;
    QChar workTree;
    QString path;
    QString originalPath; // of one that was renamed or copied
};

struct FileDiff
{
    int added = 0; // lines; -1 of a binary file
    int removed = 0;
    QString path;
};

// Asks git about the repository of one directory.
class Git : public ProcessKit::CliClient
{
public:
    template<typename T>
    using Answer = QFuture<ProcessKit::Expected<T>>;

    explicit Git(const QString &directory, ProcessKit::ProcessRunner *runner = nullptr);

    Answer<QString> topLevel() const;
    // empty where no branch is checked out
    Answer<QString> currentBranch() const;
    // the youngest \a count of them, none in a repository without any
    Answer<QList<Commit>> log(int count) const;
    Answer<QList<FileStatus>> status() const;
    // of the work tree, against the index
    Answer<QList<FileDiff>> diff() const;
};

#endif // GIT_H
