// SPDX-License-Identifier: MIT
#include "git.h"

#include <QStringList>

#include <chrono>

using namespace ProcessKit;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

ProcessError notUnderstood(const QString &what)
{
    return ProcessError::parseError(u"git"_s, what);
}

// Fields end with NUL (-z), which no path and no subject can hold.
QStringList fields(const QString &text)
{
    return text.split(QChar::Null, Qt::SkipEmptyParts);
}

Expected<QList<Commit>> parseLog(const QString &text)
{
    QList<Commit> commits;
    for (const QString &record : fields(text)) {
        const QStringList parts = record.split(u'\x1f');
        if (parts.size() != 4)
            return notUnderstood(u"log"_s);
        commits.append({ parts[0], parts[1], QDateTime::fromSecsSinceEpoch(parts[2].toLongLong()),
                         parts[3] });
    }
    return commits;
}

Expected<QList<FileStatus>> parseStatus(const QString &text)
{
    QList<FileStatus> files;
    const QStringList entries = fields(text);
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        if (entry->size() < 4 || entry->at(2) != u' ')
            return notUnderstood(u"status"_s);
        FileStatus file{ entry->at(0), entry->at(1), entry->mid(3), {} };
        if (file.index == u'R' || file.index == u'C') {
            if (++entry == entries.end())
                return notUnderstood(u"status of a renamed file"_s);
            file.originalPath = *entry;
        }
        files.append(file);
    }
    return files;
}

Expected<QList<FileDiff>> parseDiff(const QString &text)
{
    QList<FileDiff> files;
    for (const QString &entry : fields(text)) {
        const QString added = entry.section(u'\t', 0, 0);
        const QString removed = entry.section(u'\t', 1, 1);
        const QString path = entry.section(u'\t', 2);
        if (path.isEmpty())
            return notUnderstood(u"diff"_s);
        const bool isBinary = added == u"-"_s;
        files.append({ isBinary ? -1 : added.toInt(), isBinary ? -1 : removed.toInt(), path });
    }
    return files;
}

} // namespace

// Nothing that the user has set changes what is written: neither colours, nor a pager, nor the
// language. Reading takes no locks, so that nobody else's git is in the way.
Git::Git(const QString &directory, ProcessRunner *runner)
    : CliClient(Command(u"git"_s, { u"--no-pager"_s, u"--no-optional-locks"_s })
                        .withWorkingDirectory(directory)
                        .withVariable(u"LC_ALL"_s, u"C"_s)
                        .withoutVariable(u"GIT_DIR"_s)
                        .withTimeout(30s),
                runner)
{
}

Git::Answer<QString> Git::topLevel() const
{
    return run({ u"rev-parse"_s, u"--show-toplevel"_s });
}

Git::Answer<QString> Git::currentBranch() const
{
    return run({ u"branch"_s, u"--show-current"_s });
}

Git::Answer<QList<Commit>> Git::log(int count) const
{
    // before the first commit there is no HEAD, which is no error
    return parse({ u"log"_s, u"--ignore-missing"_s, u"-z"_s, u"--max-count=%1"_s.arg(count),
                   u"--format=%h%x1f%an%x1f%at%x1f%s"_s, u"HEAD"_s, u"--"_s },
                 parseLog);
}

Git::Answer<QList<FileStatus>> Git::status() const
{
    return parse({ u"status"_s, u"--porcelain"_s, u"-z"_s }, parseStatus);
}

Git::Answer<QList<FileDiff>> Git::diff() const
{
    // the numbers of "diff --stat", without its drawing
    return parse({ u"diff"_s, u"--numstat"_s, u"--no-renames"_s, u"-z"_s }, parseDiff);
}
