// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_LINESPLITTER_P_H
#define PROCESSKIT_LINESPLITTER_P_H

#include <ProcessKit/outputline.h>

#include <QtCore/qlist.h>
#include <QtCore/qstringconverter.h>

namespace ProcessKit {

// Turns the bytes of one channel into lines, as they come: characters and line ends may be cut
// anywhere. LF ends a line, one CR before it is dropped, a line longer than the limit comes in
// fragments. All lines of a call share one block of text.
class LineSplitter
{
public:
    explicit LineSplitter(QProcess::ProcessChannel channel,
                          QStringConverter::Encoding encoding = QStringConverter::Utf8)
        : m_channel(channel), m_decoder(encoding)
    {
    }

    void setMaximumLength(qsizetype characters) { m_maximum = characters; }
    // Appends to \a lines; \a number counts over all channels of a process.
    void feed(QByteArrayView bytes, QList<OutputLine> *lines, qint64 *number);
    // the end of the stream: what has no line end is a line as well
    void finish(QList<OutputLine> *lines, qint64 *number);
    qsizetype pending() const { return m_text.size(); }

private:
    struct Piece
    {
        qsizetype offset;
        qsizetype length;
        OutputLine::Flags flags;
    };

    void scan();
    void cut(qsizetype end);
    qsizetype fragmentEnd(qsizetype begin) const;
    void emitPieces(QList<OutputLine> *lines, qint64 *number);

    const QProcess::ProcessChannel m_channel;
    qsizetype m_maximum = 1 << 20;
    QStringDecoder m_decoder;
    QString m_text; // from the begin of a line that has not ended
    qsizetype m_scanned = 0; // of m_text: no line end up to here
    qsizetype m_begin = 0; // of the line (or fragment) that is being scanned
    bool m_continues = false; // the line has begun in an earlier fragment
    QList<Piece> m_pieces; // found by scan()
};

} // namespace ProcessKit

#endif // PROCESSKIT_LINESPLITTER_P_H
