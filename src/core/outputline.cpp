// SPDX-License-Identifier: MIT
#include <ProcessKit/outputline.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

/*!
    \class ProcessKit::OutputBlock
    \internal
*/

/*!
    \class ProcessKit::OutputLine
    \inmodule ProcessKit
    \inheaderfile ProcessKit/OutputLine
    \brief One line that a process has written, or a part of a long one.

    A LF ends a line, and one CR before it is dropped. Empty lines are kept. Bytes are decoded as
    UTF-8; what is not valid becomes U+FFFD.

    The lines that came with one read share one block of text, and text() is a view into it:
    copying a line is cheap, and keeping one keeps its whole block. Keep toString() to keep a line
    for long.

    \sa ContainedProcess::linesReady()
*/

/*!
    \enum ProcessKit::OutputLine::Flag
    \brief What a line is that is not simply a whole one.

    \value NoFlags
        A whole line.
    \value Unterminated
        The last one of its channel, which ended without a LF.
    \value Fragment
        The line goes on in the next OutputLine of its channel: it is longer than
        ContainedProcess::maximumLineLength().
    \value Continuation
        It continues the OutputLine of its channel before it. The last part of a long line has this
        flag only, or with \c Unterminated.
*/

/*!
    \typedef ProcessKit::OutputLine::Clock

    The clock of time(): a monotonic one.
*/

/*!
    \fn ProcessKit::OutputLine::OutputLine()

    Constructs a line without text, whose number() is -1.
*/

/*!
    \property ProcessKit::OutputLine::text
    \brief The text as a string of its own, without the line end.
*/

/*!
    \fn QStringView ProcessKit::OutputLine::text() const

    Returns the text without the line end. The view is valid for as long as this object, or a copy
    of it, exists.
*/

/*!
    \property ProcessKit::OutputLine::channel
    \brief The channel from which the line was read.

    With QProcess::MergedChannels it is always QProcess::StandardOutput.
*/

/*!
    \property ProcessKit::OutputLine::number
    \brief The place among the lines and fragments of both channels of one start, counted from 0.

    It follows the order of reading. Between the two channels that need not be the order of
    writing.
*/

/*!
    \property ProcessKit::OutputLine::flags
    \brief What is special about the line.
*/

/*!
    \fn ProcessKit::OutputLine::Clock::time_point ProcessKit::OutputLine::time() const

    Returns when the line was read: the time of the read that ended it.
*/

/*!
    \fn bool ProcessKit::OutputLine::isComplete() const

    Returns \c true for a whole line, one without any flag.
*/

/*!
    \fn bool ProcessKit::OutputLine::operator==(const OutputLine &a, const OutputLine &b)

    Returns \c true if \a a and \a b have the same text, channel, number, time and flags.
*/

/*!
    \fn bool ProcessKit::OutputLine::operator!=(const OutputLine &a, const OutputLine &b)

    Returns \c true if \a a and \a b differ in text, channel, number, time or flags.
*/

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::OutputLine

    Writes the number, the channel, the length and the flags of \a line to \a debug. The text is
    left out, for it may hold secrets.
*/
QDebug operator<<(QDebug debug, const OutputLine &line)
{
    // output may hold secrets: its length only
    const QDebugStateSaver saver(debug);
    debug.nospace() << "OutputLine(" << line.number() << ", " << line.channel() << ", "
                    << line.text().size() << " characters, " << line.flags() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
