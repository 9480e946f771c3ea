// SPDX-License-Identifier: MIT
#include "linesplitter_p.h"

namespace ProcessKit {

void LineSplitter::feed(QByteArrayView bytes, QList<OutputLine> *lines, qint64 *number)
{
    if (m_text.isEmpty())
        m_text = m_decoder(bytes);
    else
        m_text += m_decoder(bytes);
    scan();
    emitPieces(lines, number);
}

void LineSplitter::finish(QList<OutputLine> *lines, qint64 *number)
{
    // of a character that was cut off, the decoder gives a replacement once something follows it
    QString tail = m_decoder(QByteArrayView("\n", 1));
    tail.chop(1);
    m_text += tail;
    scan();
    if (m_text.size() > m_begin) {
        OutputLine::Flags flags = OutputLine::Unterminated;
        flags.setFlag(OutputLine::Continuation, m_continues);
        m_pieces.append({ m_begin, m_text.size() - m_begin, flags });
        m_begin = m_text.size();
    }
    m_continues = false;
    emitPieces(lines, number);
}

void LineSplitter::scan()
{
    for (;;) {
        const qsizetype lineEnd = m_text.indexOf(u'\n', m_scanned);
        // without the CR that belongs to the line's end, or may do so
        qsizetype end = lineEnd < 0 ? m_text.size() : lineEnd;
        if (end > m_begin && m_text.at(end - 1) == u'\r')
            --end;
        while (end - m_begin > m_maximum)
            cut(fragmentEnd(m_begin));
        if (lineEnd < 0) {
            m_scanned = m_text.size();
            return;
        }
        OutputLine::Flags flags = OutputLine::NoFlags;
        flags.setFlag(OutputLine::Continuation, m_continues);
        m_pieces.append({ m_begin, end - m_begin, flags });
        m_continues = false;
        m_begin = m_scanned = lineEnd + 1;
    }
}

void LineSplitter::cut(qsizetype end)
{
    OutputLine::Flags flags = OutputLine::Fragment;
    flags.setFlag(OutputLine::Continuation, m_continues);
    m_pieces.append({ m_begin, end - m_begin, flags });
    m_continues = true;
    m_begin = end;
}

// not between the halves of a character
qsizetype LineSplitter::fragmentEnd(qsizetype begin) const
{
    qsizetype end = begin + m_maximum;
    if (m_maximum > 1 && m_text.at(end - 1).isHighSurrogate())
        --end;
    return end;
}

void LineSplitter::emitPieces(QList<OutputLine> *lines, qint64 *number)
{
    if (m_pieces.isEmpty())
        return;
    auto *block = new OutputBlock;
    block->channel = m_channel;
    block->time = OutputLine::Clock::now();
    block->firstNumber = *number;
    // the block takes the text, what is left of it goes on as the begin of the next
    QString rest = m_text.sliced(m_begin);
    block->text = std::move(m_text);
    m_text = std::move(rest);
    m_scanned -= m_begin;
    m_begin = 0;

    const QExplicitlySharedDataPointer<const OutputBlock> shared(block);
    lines->reserve(lines->size() + m_pieces.size());
    quint32 index = 0;
    for (const Piece &piece : std::as_const(m_pieces))
        lines->emplaceBack(shared, index++, quint32(piece.offset), quint32(piece.length),
                           piece.flags);
    *number += m_pieces.size();
    m_pieces.clear();
}

} // namespace ProcessKit
