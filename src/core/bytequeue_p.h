// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BYTEQUEUE_P_H
#define PROCESSKIT_BYTEQUEUE_P_H

#include <QtCore/qbytearray.h>
#include <QtCore/qlist.h>

#include <cstring>

namespace ProcessKit {

// Bytes in the pieces in which they came; moving a piece in or out copies nothing.
class ByteQueue
{
public:
    qint64 size() const noexcept { return m_size; }
    bool isEmpty() const noexcept { return m_size == 0; }

    void append(QByteArray &&piece)
    {
        if (piece.isEmpty())
            return;
        m_size += piece.size();
        m_pieces.append(std::move(piece));
    }
    void append(ByteQueue &&other)
    {
        if (m_pieces.isEmpty()) {
            std::swap(*this, other);
            return;
        }
        for (qsizetype i = 0; i < other.m_pieces.size(); ++i)
            append(i ? std::move(other.m_pieces[i]) : other.m_pieces[i].sliced(other.m_head));
        other.clear();
    }
    void prepend(QByteArray &&piece)
    {
        if (piece.isEmpty())
            return;
        m_size += piece.size();
        if (m_head > 0) {
            m_pieces.first().remove(0, m_head);
            m_head = 0;
        }
        m_pieces.prepend(std::move(piece));
    }
    void clear()
    {
        m_pieces.clear();
        m_head = 0;
        m_size = 0;
    }

    // \a data may be null: then the bytes are dropped
    qint64 read(char *data, qint64 maximum)
    {
        qint64 done = 0;
        while (done < maximum && m_size > 0) {
            const QByteArrayView piece = first();
            const qint64 count = qMin(maximum - done, qint64(piece.size()));
            if (data)
                std::memcpy(data + done, piece.data(), size_t(count));
            dropFront(count);
            done += count;
        }
        return done;
    }

    // the position of a byte, or -1
    qint64 indexOf(char byte, qint64 maximum = std::numeric_limits<qint64>::max()) const
    {
        qint64 before = 0;
        for (qsizetype i = 0; i < m_pieces.size() && before < maximum; ++i) {
            const QByteArrayView piece = QByteArrayView(m_pieces.at(i)).sliced(i ? 0 : m_head);
            const void *found = std::memchr(piece.data(), byte, size_t(piece.size()));
            if (found) {
                const qint64 at = before + (static_cast<const char *>(found) - piece.data());
                return at < maximum ? at : -1;
            }
            before += piece.size();
        }
        return -1;
    }

    QByteArray takeAll()
    {
        QByteArray all;
        if (m_pieces.size() == 1 && m_head == 0) {
            all = std::move(m_pieces.first());
        } else {
            all.resize(m_size);
            read(all.data(), all.size());
        }
        clear();
        return all;
    }

    QByteArrayView first() const { return QByteArrayView(m_pieces.first()).sliced(m_head); }
    void dropFront(qint64 count)
    {
        m_head += count;
        m_size -= count;
        if (m_head == m_pieces.first().size()) {
            m_pieces.removeFirst();
            m_head = 0;
        }
    }

private:
    QList<QByteArray> m_pieces;
    qint64 m_head = 0; // bytes of the first piece that have been taken
    qint64 m_size = 0;
};

} // namespace ProcessKit

#endif // PROCESSKIT_BYTEQUEUE_P_H
