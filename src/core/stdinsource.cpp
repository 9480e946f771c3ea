// SPDX-License-Identifier: MIT
#include "command_p.h"

#include "deviceinput_p.h"

namespace ProcessKit {

/*!
    \class ProcessKit::StdinSource
    \inmodule ProcessKit
    \inheaderfile ProcessKit/StdinSource
    \brief What a process reads from its standard input.

    Input is written on the I/O thread while the process runs. A process that does not read all of
    it is not hurt, and neither is this program: what is left is dropped when the process closes its
    end or exits. Another failure to write is ProcessError::Kind::Input.

    An object is an explicitly shared value that never changes: copies are cheap.

    \sa Command::withInput()
*/

/*!
    \enum ProcessKit::StdinSource::Kind
    \brief Where the input comes from.

    \value Nothing
        The null device: the end of the file at once. The default.
    \value Bytes
        Bytes in memory: bytes(), text() and lines().
    \value File
        A file that the process is given itself.
    \value Generator
        A function, or a QIODevice. It can be read once only.
    \value Inherited
        The standard input of this process.
    \value KeptOpen
        A pipe that is not closed.
*/

/*!
    \typedef ProcessKit::StdinSource::Generator

    A function that returns the next piece of the input, and no bytes at the end: \c{QByteArray()}.
*/

/*!
    Constructs the source of kind Kind::Nothing.
*/
StdinSource::StdinSource() = default;
StdinSource::StdinSource(StdinSourceData *data) : d(data) { }
/*!
    Constructs a copy of \a other.
*/
StdinSource::StdinSource(const StdinSource &other) = default;
/*!
    Moves \a other into a new object; \a other is left as Kind::Nothing.
*/
StdinSource::StdinSource(StdinSource &&other) noexcept = default;
/*!
    Assigns \a other.
*/
StdinSource &StdinSource::operator=(const StdinSource &other) = default;
/*!
    Moves \a other here.
*/
StdinSource &StdinSource::operator=(StdinSource &&other) noexcept = default;
/*!
    Destroys the value.
*/
StdinSource::~StdinSource() = default;

namespace {

StdinSourceData *ofKind(StdinSource::Kind kind)
{
    auto *data = new StdinSourceData;
    data->kind = kind;
    return data;
}

} // namespace

/*!
    Returns a source that gives nothing: the process reads the end of the file at once.
*/
StdinSource StdinSource::nothing()
{
    return {};
}

/*!
    Returns a source of \a text in UTF-8. No line end is added.
*/
StdinSource StdinSource::text(const QString &text)
{
    return bytes(text.toUtf8());
}

/*!
    Returns a source of \a bytes.
*/
StdinSource StdinSource::bytes(const QByteArray &bytes)
{
    StdinSource source(ofKind(Kind::Bytes));
    source.d->bytes = bytes;
    return source;
}

/*!
    Returns a source of \a lines in UTF-8, each with a line feed behind it.
*/
StdinSource StdinSource::lines(const QStringList &lines)
{
    return lines.isEmpty() ? bytes({}) : text(lines.join(u'\n') + u'\n');
}

/*!
    Returns a source of the content of the file \a fileName. The process is given the file itself:
    nothing is copied, and it can seek. A file that cannot be opened makes the start fail with
    ProcessError::Kind::Redirection. A relative name counts from the current directory of this
    process.
*/
StdinSource StdinSource::file(const QString &fileName)
{
    StdinSource source(ofKind(Kind::File));
    source.d->fileName = fileName;
    return source;
}

/*!
    Returns a source of what \a device gives, for example a socket, a pipe, or another process. The
    device stays the caller's. It has to be open for reading, and may live in any thread.

    From the start on it is read in its own thread, whenever it has something
    (QIODevice::readyRead()), and handed to the process as that takes it. 256 KiB may be on the way;
    then it is not read until there is room. What the device itself reads ahead is limited by
    nothing but its own settings: QAbstractSocket::setReadBufferSize(),
    ContainedProcess::setReadLimit(). Until the process has exited, nobody else should read it. What
    was read and the process did not want is lost.

    The input ends with QIODevice::readChannelFinished(), or when the device cannot give more
    (QIODevice::readData() returns -1), or is closed, or, if it is not sequential, is at its end. A
    device that is destroyed before any of these is no complete input: the process reads the end of
    the file, and the error is ProcessError::Kind::Input.

    \warning The thread of the device needs an event loop. To block in that thread until the run is
    over, as by QFuture::result(), waits for an input that cannot come: it works only if all of it
    was there, 256 KiB at most, and had ended before the call; else nothing but the process, a
    timeout or another thread ends the run. Use a continuation there, or wait in another thread.

    As a generator() it can be read once only.
*/
StdinSource StdinSource::device(QIODevice *device)
{
    if (!device)
        return bytes({});
    StdinSource source = generator({});
    source.d->device = DeviceInput::of(device);
    return source;
}

/*!
    \overload

    Returns a source of what \a device gives, and takes it over: it is destroyed with the last copy
    of the source, or after the run if that ends later.

    A sequential one, see QIODevice::isSequential(), is read and destroyed in its own thread, with
    all that is said above. Every other is read on the I/O thread, in pieces of 64 KiB, until it
    gives nothing more; it must not block, needs no event loop, and is perhaps destroyed there.
*/
StdinSource StdinSource::device(std::unique_ptr<QIODevice> device)
{
    constexpr qint64 piece = 64 * 1024;
    if (device && device->isSequential()) {
        StdinSource source = generator({});
        source.d->device = DeviceInput::of(std::move(device));
        return source;
    }
    return generator([device = std::shared_ptr<QIODevice>(std::move(device))] {
        return device && device->isReadable() ? device->read(piece) : QByteArray();
    });
}

/*!
    Returns a source of the pieces that \a generator returns, up to the first that is empty. It is
    called on the I/O thread, whenever the process can take more: it must be quick and must not
    block, or all processes of the program wait.

    It can be read once only: isOneShot(). The first start takes it. A second one, of any copy,
    fails with ProcessError::Kind::InvalidArgument, and a command with it is never retried.
*/
StdinSource StdinSource::generator(Generator generator)
{
    StdinSource source(ofKind(Kind::Generator));
    source.d->generator = std::move(generator);
    return source;
}

/*!
    Returns the standard input of this process, for example its terminal.
*/
StdinSource StdinSource::inherited()
{
    return StdinSource(ofKind(Kind::Inherited));
}

/*!
    Returns a pipe that stays open, into which Command::start() lets its process be written:
    ContainedProcess::write(), ContainedProcess::closeWriteChannel().

    With the other verbs, and in a Pipeline, nobody can write into it, and it is closed at once.
*/
StdinSource StdinSource::keptOpen()
{
    return StdinSource(ofKind(Kind::KeptOpen));
}

/*!
    Returns where the input comes from.
*/
StdinSource::Kind StdinSource::kind() const noexcept
{
    return d ? d->kind : Kind::Nothing;
}

/*!
    Returns \c true if the source can be read once only, as a generator() and a device() can.
*/
bool StdinSource::isOneShot() const noexcept
{
    return kind() == Kind::Generator;
}

} // namespace ProcessKit
