// SPDX-License-Identifier: MIT
#include "containedprocess_p.h"

// The channels, and the process as the device that reads and writes them.

namespace ProcessKit {

// QIODevice reads ahead, and keeps what was put back; it all belongs to the channel it came from.
void ContainedProcessPrivate::returnBufferedBytes()
{
    const qint64 ahead = q->QIODevice::bytesAvailable();
    if (ahead <= 0)
        return;
    const bool text = q->isTextModeEnabled();
    q->setTextModeEnabled(false);
    QByteArray bytes(ahead, Qt::Uninitialized);
    bytes.resize(qMax<qint64>(0, q->QIODevice::read(bytes.data(), ahead)));
    q->setTextModeEnabled(text);
    buffers[size_t(readChannel)].prepend(std::move(bytes));
}

/*!
    Returns the channel that the functions of QIODevice read: QProcess::StandardOutput by default.
*/
QProcess::ProcessChannel ContainedProcess::readChannel() const
{
    return QProcess::ProcessChannel(d->readChannel);
}

/*!
    Makes the functions of QIODevice read \a channel.
*/
void ContainedProcess::setReadChannel(QProcess::ProcessChannel channel)
{
    setCurrentReadChannel(int(channel));
}

/*!
    Returns 2; 1 with QProcess::MergedChannels; 0 where the device is not open for reading. It
    hides the function of QIODevice, which is not virtual.
*/
int ContainedProcess::readChannelCount() const
{
    if (!isReadable())
        return 0;
    return d->channelMode == QProcess::MergedChannels ? 1 : 2;
}

/*!
    Returns the number of the channel that is read. It hides the function of QIODevice.
*/
int ContainedProcess::currentReadChannel() const
{
    return d->readChannel;
}

/*!
    Makes the functions of QIODevice read the channel with the number \a channel. Does nothing for
    other numbers than 0 and 1, and within a transaction. It hides the function of QIODevice.
*/
void ContainedProcess::setCurrentReadChannel(int channel)
{
    if (channel == d->readChannel || channel < 0 || channel > 1)
        return;
    if (isTransactionStarted()) {
        QIODevice::setCurrentReadChannel(channel); // which refuses, and says why
        return;
    }
    d->returnBufferedBytes();
    d->readChannel = channel;
}

/*!
    Drops what comes from \a channel from now on. A child that writes on into it is not disturbed.
    What has been read before can still be read.
*/
void ContainedProcess::closeReadChannel(QProcess::ProcessChannel channel)
{
    d->channelClosed[size_t(channel)] = true;
    if (d->run)
        d->run->closeOutput(channel);
}

/*!
    Closes the standard input of the child, when what was written has been taken.
*/
void ContainedProcess::closeWriteChannel()
{
    d->inputClosed = true;
    if (d->run)
        d->run->closeInput();
}

/*!
    Returns everything that can be read of the standard output.
*/
QByteArray ContainedProcess::readAllStandardOutput()
{
    const QProcess::ProcessChannel previous = readChannel();
    setReadChannel(QProcess::StandardOutput);
    const QByteArray bytes = readAll();
    setReadChannel(previous);
    return bytes;
}

/*!
    Returns everything that can be read of the standard error. With QProcess::MergedChannels it
    prints a warning and returns nothing.
*/
QByteArray ContainedProcess::readAllStandardError()
{
    if (d->channelMode == QProcess::MergedChannels) {
        qWarning("QProcess::readAllStandardError: Called with MergedChannels");
        return {};
    }
    const QProcess::ProcessChannel previous = readChannel();
    setReadChannel(QProcess::StandardError);
    const QByteArray bytes = readAll();
    setReadChannel(previous);
    return bytes;
}

/*!
    \reimp
*/
qint64 ContainedProcess::bytesAvailable() const
{
    return QIODevice::bytesAvailable() + d->buffers[size_t(d->readChannel)].size();
}

qint64 ContainedProcess::bytesToWrite() const
{
    return QIODevice::bytesToWrite() + d->bytesToWrite;
}

bool ContainedProcess::canReadLine() const
{
    return QIODevice::canReadLine() || d->buffers[size_t(d->readChannel)].indexOf('\n') >= 0;
}

bool ContainedProcess::isSequential() const
{
    return true;
}

bool ContainedProcess::atEnd() const
{
    return QIODevice::atEnd() && (!isOpen() || bytesAvailable() == 0);
}

/*!
    Waits until what was written has been taken, kills the tree, waits for finished(), and closes
    the device. To end a process without waiting, use kill() or destroy the object.
*/
void ContainedProcess::close()
{
    const QPointer<ContainedProcess> guard(this);
    Q_EMIT aboutToClose();
    while (guard && waitForBytesWritten(-1)) { }
    if (!guard)
        return;
    kill();
    waitForFinished(-1);
    if (guard)
        QIODevice::close();
}

qint64 ContainedProcess::readData(char *data, qint64 maxSize)
{
    if (maxSize <= 0)
        return 0;
    const qint64 count = d->buffers[size_t(d->readChannel)].read(data, maxSize);
    if (count > 0 && d->run)
        d->run->bytesConsumed(count);
    return count > 0 || d->state != QProcess::NotRunning ? count : -1;
}

qint64 ContainedProcess::readLineData(char *data, qint64 maxSize)
{
    const qint64 lineEnd = d->buffers[size_t(d->readChannel)].indexOf('\n', maxSize);
    return readData(data, lineEnd < 0 ? maxSize : lineEnd + 1);
}

qint64 ContainedProcess::skipData(qint64 maxSize)
{
    return readData(nullptr, maxSize);
}

qint64 ContainedProcess::writeData(const char *data, qint64 maxSize)
{
    if (d->inputClosed || !d->run)
        return 0;
    if (d->connectionsChanged) // before anything that is written can have an answer
        d->takeConnections();
    d->bytesToWrite += maxSize;
    d->run->write(QByteArray(data, maxSize));
    return maxSize;
}

} // namespace ProcessKit
