// SPDX-License-Identifier: MIT
#include "command_p.h"

#include "linerelay_p.h"

// What goes into a command's process, and what becomes of that which comes out.

namespace ProcessKit {

/*!
    Returns what the process reads from its standard input. The default is StdinSource::nothing().
*/
StdinSource Command::standardInput() const
{
    return d->input;
}

/*!
    Returns where standard output goes. The default is OutputDestination::pipe().
*/
OutputDestination Command::standardOutput() const
{
    return d->destinations[0];
}

/*!
    Returns where standard error goes. The default is OutputDestination::pipe().
*/
OutputDestination Command::standardError() const
{
    return d->destinations[1];
}

/*!
    Returns whether standard error goes where standard output goes. The default is \c false.
*/
bool Command::mergesErrors() const
{
    return d->mergesErrors;
}

/*!
    Returns how much of the output is kept. The default is OutputPolicy::unbounded().
*/
OutputPolicy Command::outputPolicy() const
{
    return d->outputPolicy;
}

/*!
    Returns a copy whose process reads \a source.
*/
Command Command::withInput(const StdinSource &source) const
{
    return changed([&](CommandData &data) { data.input = source; });
}

/*!
    \overload

    Returns a copy whose process reads \a text in UTF-8, then the end of the file.
*/
Command Command::withInput(const QString &text) const
{
    return changed([&](CommandData &data) { data.input = StdinSource::text(text); });
}

/*!
    Returns a copy whose standard output goes to \a destination. What goes elsewhere than to the
    pipe is in no result.
*/
Command Command::withStandardOutput(const OutputDestination &destination) const
{
    return changed([&](CommandData &data) { data.destinations[0] = destination; });
}

/*!
    Returns a copy whose standard error goes to \a destination. It cannot be combined with
    withMergedErrors(), but for OutputDestination::pipe(), which changes nothing: the start fails
    with ProcessError::Kind::InvalidArgument.
*/
Command Command::withStandardError(const OutputDestination &destination) const
{
    return changed([&](CommandData &data) { data.destinations[1] = destination; });
}

/*!
    Returns a copy whose standard error goes where standard output goes, if \a merged is \c true.
    Both are written to one pipe or file, so that they come in the order of writing;
    ProcessResult::standardError() is empty.
*/
Command Command::withMergedErrors(bool merged) const
{
    return changed([&](CommandData &data) { data.mergesErrors = merged; });
}

/*!
    Returns a copy that keeps of each of the two streams what \a policy lets through.

    By default everything is kept. The verbs that need the whole output, those that require success,
    fail with ProcessError::Kind::OutputTooLarge where anything was dropped.
*/
Command Command::withOutputPolicy(const OutputPolicy &policy) const
{
    return changed([&](CommandData &data) { data.outputPolicy = policy; });
}

/*!
    Returns a copy whose output is \a encoding; the default is QStringConverter::Utf8. What is not
    valid becomes U+FFFD, and a byte order mark at the begin is dropped. It holds for text and for
    lines.
*/
Command Command::withEncoding(QStringConverter::Encoding encoding) const
{
    return changed([&](CommandData &data) { data.encoding = encoding; });
}

/*!
    Returns a copy whose ProcessResult turns bytes into text with \a decoder, for encodings that
    QStringConverter does not know. It is given all the bytes of one stream (of both for
    ProcessResult::combinedOutput()), in the thread that asks for the text, each time. Where a text
    policy is set, it is called on the I/O thread. Lines are not made with it, but with
    withEncoding().
*/
Command Command::withDecoder(const std::function<QString(const QByteArray &)> &decoder) const
{
    return changed([&](CommandData &data) { data.decoder = decoder; });
}

/*!
    Returns a copy that calls \a handler for each line of both streams while the process runs.
    Several handlers are called in the order in which they were given.

    It is called on the I/O thread: see \l{Threads}. A handler that takes its time delays every
    process of the program. The last lines have been given to it before the future is finished.

    Lines are what the process wrote: neither withRedaction(), withEscapeSequencesRemoved() nor
    withOutputPolicy() applies to them. Each attempt of a command that is retried gives its lines.
*/
Command Command::withLineHandler(const LineHandler &handler) const
{
    return changed([&](CommandData &data) { data.lineHandlers.append(handler); });
}

/*!
    \overload

    Calls \a handler in the thread of \a context, from its event loop, with one event for each line.
    The last of them may come after the future is finished. No more are called when \a context is
    destroyed, which it should be in its own thread after the end of the run.

    The events are not bounded: for a process that writes much, use ContainedProcess::linesReady(),
    which hands over batches and reads no faster than they are taken.
*/
Command Command::withLineHandler(QObject *context, const LineHandler &handler) const
{
    const auto relay = std::make_shared<LineRelay>();
    relay->moveToThread(nullptr); // it has no events, and may be used and destroyed by any thread
    QObject::connect(relay.get(), &LineRelay::line, context, handler, Qt::QueuedConnection);
    return withLineHandler([relay](const OutputLine &line) { Q_EMIT relay->line(line); });
}

/*!
    Returns a copy that also writes what comes from standard output to \a device: the bytes as they
    come, before every policy.

    The device has to be open for writing. During the run it belongs to the I/O thread: nobody else
    may use it, and it must not block or need an event loop; a QFile or a QBuffer is fitting. A
    write that fails ends the copying, not the run. The device is neither flushed nor closed: do it
    when the future is finished. It is kept alive by the command and by the run.

    A stream that does not come through the pipe, see withStandardOutput(), has no tee: the start
    fails with ProcessError::Kind::InvalidArgument.

    \sa withErrorTee(), withOutputTextTee()
*/
Command Command::withOutputTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.tees[0] = device; });
}

/*!
    Returns a copy that also writes what comes from standard error to \a device, as withOutputTee()
    does with standard output. Where errors are merged there is none: the start fails with
    ProcessError::Kind::InvalidArgument.
*/
Command Command::withErrorTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.tees[1] = device; });
}

/*!
    Returns a copy that also writes the text of standard output to \a device, line by line as it
    comes: decoded by withEncoding(), with withEscapeSequencesRemoved() and withRedaction() applied,
    in UTF-8, with a line feed alone for each line end. A last line without an end gets none.

    The policies have each line on its own, also where an escape sequence would go on in the next
    one. A line of more than 1,048,576 UTF-16 code units is written, and given to the policies, in
    parts of that length. withDecoder() and withOutputPolicy() do not count here.

    For \a device holds what withOutputTee() says, and both can be set. It can be that of
    withErrorTextTee(), too: then the lines of both streams are in it, in the order of reading.
*/
Command Command::withOutputTextTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.textTees[0] = device; });
}

/*!
    Returns a copy that also writes the text of standard error to \a device, as withOutputTextTee()
    does with that of standard output. Where errors are merged there is none: the start fails with
    ProcessError::Kind::InvalidArgument.
*/
Command Command::withErrorTextTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.textTees[1] = device; });
}

/*!
    Returns a copy whose ProcessResult has \a policy applied to each line of both streams, so that
    secrets are in no result and in no error made from it. It comes after
    withEscapeSequencesRemoved().

    For the result it is called when the output is complete, on the I/O thread: see \l{Threads}. The
   bytes of the result are then the UTF-8 of the new text, and ProcessResult::combinedOutput() is
   standard output followed by standard error; the counts of bytes and lines are still those of what
   the process wrote.

    It applies to withOutputTextTee() and withErrorTextTee() as well, for each line when it comes,
    and to the line of firstLine(). It does not apply to line handlers, to the predicate of
    firstLine() and to the tees of withOutputTee() and withErrorTee(), which get what was written.
*/
Command Command::withRedaction(const TextPolicy &policy) const
{
    return changed([&](CommandData &data) { data.redaction = policy; });
}

/*!
    Returns a copy whose ProcessResult has no escape and control sequences (ECMA-48: colours,
    titles, cursor movements) and no control characters but tab, line feed and carriage return in
    its text, if \a removed is \c true. It applies to what withRedaction() applies to, before it.
*/
Command Command::withEscapeSequencesRemoved(bool removed) const
{
    return changed([&](CommandData &data) { data.removesEscapeSequences = removed; });
}

} // namespace ProcessKit
