// SPDX-License-Identifier: MIT
#include "processerror_p.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qdebug.h>

namespace ProcessKit {

/*!
    \class ProcessKit::ProcessError
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessError
    \brief Why a process could not be started, or was no success.

    text() is one line for a log or a status bar: it names neither the program nor any directory,
    argument or variable. diagnostic() is for the person in front of the screen, and names the
    program and where it was looked for.

    An object is an implicitly shared value; the error of kind Kind::None is no error.

    \sa ContainedProcess::failure(), ProcessResult::error(), Expected::error()
*/

/*!
    \enum ProcessKit::ProcessError::Kind
    \brief What went wrong.

    \value None
        Nothing.
    \value InvalidArgument
        The start was impossible as asked: no program, a NUL character in a string, more arguments
        and environment than the kernel takes (E2BIG, execve(2)), a descriptor to inherit that is
        not open, a setting of the child that the kernel does not know, settings of a Command that
        contradict each other or are out of range, or an input that can be read once only and was.
    \value NotFound
        There is no such program.
    \value PermissionDenied
        The program may not be executed, or is a directory; or this program may not give its child
        what it is asked to, such as another user.
    \value WorkingDirectory
        The working directory could not be entered.
    \value Redirection
        The file of a standard stream could not be opened.
    \value ResourceLimit
        Descriptors, processes or memory ran out before the program was executed (EMFILE, ENFILE,
        EAGAIN, ENOMEM, ENOSPC).
    \value Unsupported
        The host cannot hold the process in the way that was asked for.
    \value Keeper
        The keeper could not be run, or did not do its part.
    \value ContainmentLost
        The group keeper of the process was killed, and the process was ended.
    \value Spawn
        Anything else that the system reported; operation() and nativeCode() tell what.
    \value Cancelled
        The run was cancelled before it had come to its end.
    \value Exit
        The program exited with a code that does not count as success; exitCode() has it.
    \value Signalled
        A signal ended the program; signal() has it.
    \value Timeout
        The program had not exited when its time was over.
    \value InactivityTimeout
        Nothing had come from the program for as long as it may be silent.
    \value OutputTooLarge
        There was more output than an OutputPolicy allows, and all of it was needed.
    \value Parse
        What the program has written is not what was expected.
    \value Input
        Its input could not be written to it. That it did not read all of it is no error.
    \value Suspended
        The group is suspended, and a process that starts in it would not run.
*/

namespace {

// one line, of bounded length, that a terminal can be shown
QString tamed(QString text)
{
    constexpr qsizetype longest = 200;
    if (text.size() > longest)
        text = text.left(longest) + u'\u2026';
    for (QChar &c : text) {
        const bool harmless = c == u'\t' || c.isPrint() || c.isSurrogate();
        if (!harmless || c.category() == QChar::Other_Format)
            c = QChar::ReplacementCharacter;
    }
    return text;
}

} // namespace

/*!
    Constructs the error that is none.
*/
ProcessError::ProcessError() = default;

/*!
    Constructs an error of \a kind: \a operation failed with the errno(3) \a nativeCode while
    \a program was started. \a detail and \a searchedDirectories are for diagnostic().
*/
ProcessError::ProcessError(Kind kind, const QString &program, const QString &operation,
                           int nativeCode, const QString &detail,
                           const QStringList &searchedDirectories)
    : d(new ProcessErrorData)
{
    d->kind = kind;
    d->program = program;
    d->operation = operation;
    d->nativeCode = nativeCode;
    d->detail = detail;
    d->searchedDirectories = searchedDirectories;
}

ProcessError::ProcessError(ProcessErrorData *data) : d(data) { }

/*!
    Returns the error that \a program has written something that cannot be understood, for the
    reason \a what. For the parsers of ProcessRunner::parse().
*/
ProcessError ProcessError::parseError(const QString &program, const QString &what)
{
    return ProcessError(Kind::Parse, program, what, 0);
}

/*!
    Constructs a copy of \a other.
*/
ProcessError::ProcessError(const ProcessError &other) = default;
/*!
    Moves \a other into a new object; no error is left in \a other.
*/
ProcessError::ProcessError(ProcessError &&other) noexcept = default;
/*!
    Assigns \a other.
*/
ProcessError &ProcessError::operator=(const ProcessError &other) = default;
/*!
    Moves \a other here.
*/
ProcessError &ProcessError::operator=(ProcessError &&other) noexcept = default;
/*!
    Destroys the error.
*/
ProcessError::~ProcessError() = default;

/*!
    \property ProcessKit::ProcessError::kind
    \brief What went wrong.
*/

/*!
    \fn ProcessKit::ProcessError::operator bool() const

    Returns \c true if this is an error: if kind() is not Kind::None.
*/
ProcessError::Kind ProcessError::kind() const noexcept
{
    return d ? d->kind : Kind::None;
}

/*!
    \property ProcessKit::ProcessError::program
    \brief The program, as it was given to the start.
*/
QString ProcessError::program() const
{
    return d ? d->program : QString();
}

/*!
    \property ProcessKit::ProcessError::operation
    \brief The step that failed, for example \c execve or \c chdir.
*/
QString ProcessError::operation() const
{
    return d ? d->operation : QString();
}

/*!
    \property ProcessKit::ProcessError::nativeCode
    \brief The errno(3) of the step that failed; 0 where there is none.
*/
int ProcessError::nativeCode() const noexcept
{
    return d ? d->nativeCode : 0;
}

/*!
    \property ProcessKit::ProcessError::searchedDirectories
    \brief Where a program without a slash in its name was looked for, in this order.
*/
QStringList ProcessError::searchedDirectories() const
{
    return d ? d->searchedDirectories : QStringList();
}

/*!
    \property ProcessKit::ProcessError::exitCode
    \brief The exit code of a program that has exited; -1 of any other.
*/
int ProcessError::exitCode() const noexcept
{
    return d ? d->exitCode : -1;
}

/*!
    \property ProcessKit::ProcessError::signal
    \brief The number of the signal that ended the program; 0 if none did.
*/
int ProcessError::signal() const noexcept
{
    return d ? d->signal : 0;
}

/*!
    \property ProcessKit::ProcessError::standardOutput
    \brief What the program had written to standard output, as ProcessResult::standardOutput().
*/
QString ProcessError::standardOutput() const
{
    return d ? d->standardOutput : QString();
}

/*!
    \property ProcessKit::ProcessError::standardError
    \brief What the program had written to standard error, as ProcessResult::standardError().
*/
QString ProcessError::standardError() const
{
    return d ? d->standardError : QString();
}

/*!
    Returns \c true if the same may succeed when it is tried again at once: the system lacked
    something for a moment (EINTR, EAGAIN, EBUSY, ETXTBSY), which an exit code or a timeout does not
    say.
*/
bool ProcessError::isTransient() const noexcept
{
    const int code = nativeCode();
    return kind() != Kind::Cancelled
            && (code == EINTR || code == EAGAIN || code == EBUSY || code == ETXTBSY)
            && kind() != Kind::InvalidArgument;
}

/*!
    \property ProcessKit::ProcessError::text
    \brief The step and the reason in one line, with neither program nor paths in it.

    Control characters are replaced, and more than 200 characters are cut.
*/
QString ProcessError::text() const
{
    if (!d || d->kind == Kind::None)
        return {};
    QString text = d->operation;
    if (d->nativeCode)
        text += QLatin1String(": ") + qt_error_string(d->nativeCode);
    if (!d->searchedDirectories.isEmpty())
        text += QCoreApplication::translate("ProcessKit::ProcessError",
                                            " (searched %n directories)", nullptr,
                                            int(d->searchedDirectories.size()));
    return tamed(text);
}

/*!
    \property ProcessKit::ProcessError::diagnostic
    \brief Everything there is to say, the program and the directories searched included.

    It may hold what users regard as private: show it, do not log it.
*/
QString ProcessError::diagnostic() const
{
    if (!d || d->kind == Kind::None)
        return {};
    QString diagnostic = d->program + QLatin1String(": ") + d->operation;
    if (d->nativeCode)
        diagnostic += QLatin1String(": ") + qt_error_string(d->nativeCode);
    if (!d->detail.isEmpty())
        diagnostic += QLatin1String(": ") + d->detail;
    const QString &written = d->standardError.isEmpty() ? d->standardOutput : d->standardError;
    if (!written.isEmpty())
        diagnostic += QLatin1String(":\n") + written;
    if (!d->searchedDirectories.isEmpty())
        diagnostic += QCoreApplication::translate("ProcessKit::ProcessError", "; searched in ")
                + d->searchedDirectories.join(u':');
    return diagnostic;
}

/*!
    \fn bool ProcessKit::ProcessError::operator==(const ProcessError &a, const ProcessError &b)

    Returns \c true if \a a and \a b are equal in every property.
*/

/*!
    \fn bool ProcessKit::ProcessError::operator!=(const ProcessError &a, const ProcessError &b)

    Returns \c true if \a a and \a b differ in any property.
*/
bool operator==(const ProcessError &a, const ProcessError &b) noexcept
{
    if (a.d == b.d)
        return true;
    return a.kind() == b.kind() && a.nativeCode() == b.nativeCode() && a.program() == b.program()
            && a.exitCode() == b.exitCode() && a.signal() == b.signal()
            && a.standardOutput() == b.standardOutput() && a.standardError() == b.standardError()
            && a.operation() == b.operation() && a.searchedDirectories() == b.searchedDirectories()
            && a.diagnostic() == b.diagnostic();
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::ProcessError

    Writes the kind and the text of \a error to \a debug, not the program.
*/
QDebug operator<<(QDebug debug, const ProcessError &error)
{
    // neither the program nor what was searched: paths tell about users
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ProcessError(" << error.kind() << ", " << error.text() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
