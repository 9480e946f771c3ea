// SPDX-License-Identifier: MIT
#include <ProcessKit/outputpolicy.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

/*!
    \class ProcessKit::OutputPolicy
    \inmodule ProcessKit
    \inheaderfile ProcessKit/OutputPolicy
    \brief How much of a stream is kept in memory, and what happens to the rest.

    It applies to standard output and standard error, to each on its own. Whatever is kept,
    everything is read to its end, so that the process does not wait:
    ProcessResult::standardOutputByteCount() and the like count all of it, and
    ProcessResult::isTruncated() tells that something was dropped.

    By default nothing is bounded. With both limits the tighter one counts.

    \sa Command::withOutputPolicy()
*/

/*!
    \enum ProcessKit::OutputPolicy::Overflow
    \brief What is done with more than the limits allow.

    \value DropOldest
        The end of the stream is kept. While it is read, up to a quarter more (or 64 KiB or 1024
        lines, whichever is more) may be held.
    \value DropNewest
        The begin of the stream is kept.
    \value Fail
        As \c DropNewest, and the result is ProcessError::Kind::OutputTooLarge when the process has
        ended. It needs a limit: without one the start fails with
        ProcessError::Kind::InvalidArgument.
*/

/*!
    \property ProcessKit::OutputPolicy::overflow
    \brief What is done with more than the limits allow. The default is Overflow::DropOldest.
*/

/*!
    \property ProcessKit::OutputPolicy::maximumBytes
    \brief How many bytes of a stream are kept; a negative number, the default, is no limit.
*/

/*!
    \property ProcessKit::OutputPolicy::maximumLines
    \brief How many lines of a stream are kept; a negative number, the default, is no limit. A last
    one without a line end counts.
*/

/*!
    \variable ProcessKit::OutputPolicy::overflow
    \brief What is done with more than the limits allow. The default is Overflow::DropOldest.
*/

/*!
    \variable ProcessKit::OutputPolicy::maximumBytes
    \brief How many bytes of a stream are kept; a negative number, the default, is no limit.
*/

/*!
    \variable ProcessKit::OutputPolicy::maximumLines
    \brief How many lines of a stream are kept; a negative number, the default, is no limit.
*/

/*!
    \fn OutputPolicy ProcessKit::OutputPolicy::unbounded()

    Returns the policy that keeps everything, the default.
*/

/*!
    \fn OutputPolicy ProcessKit::OutputPolicy::bytes(qint64 maximum, Overflow overflow)

    Returns the policy that keeps \a maximum bytes of each stream and treats more as \a overflow
    says.
*/

/*!
    \fn OutputPolicy ProcessKit::OutputPolicy::lines(qint64 maximum, Overflow overflow)

    Returns the policy that keeps \a maximum lines of each stream and treats more as \a overflow
    says. A line may be of any length: set \c maximumBytes too where that matters.
*/

/*!
    \fn bool ProcessKit::OutputPolicy::isBounded() const

    Returns \c true if there is any limit.
*/

/*!
    \fn bool ProcessKit::OutputPolicy::operator==(const OutputPolicy &, const OutputPolicy &)

    Returns \c true if both are equal in every field.
*/

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::OutputPolicy

    Writes the fields of \a policy to \a debug.
*/
QDebug operator<<(QDebug debug, const OutputPolicy &policy)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "OutputPolicy(" << policy.overflow << ", " << policy.maximumBytes
                    << " bytes, " << policy.maximumLines << " lines)";
    return debug;
}
#endif

} // namespace ProcessKit
