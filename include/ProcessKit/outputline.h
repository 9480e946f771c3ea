// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_OUTPUTLINE_H
#define PROCESSKIT_OUTPUTLINE_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qlist.h>
#include <QtCore/qobjectdefs.h>
#include <QtCore/qprocess.h>
#include <QtCore/qshareddata.h>
#include <QtCore/qstring.h>

#include <chrono>

namespace ProcessKit {

// The decoded text of one read, shared by the lines that lie in it.
class OutputBlock : public QSharedData
{
public:
    QString text;
    qint64 firstNumber = 0;
    std::chrono::steady_clock::time_point time;
    QProcess::ProcessChannel channel = QProcess::StandardOutput;
};

class PROCESSKIT_EXPORT OutputLine
{
    Q_GADGET
    Q_PROPERTY(QString text READ toString CONSTANT)
    Q_PROPERTY(QProcess::ProcessChannel channel READ channel CONSTANT)
    Q_PROPERTY(qint64 number READ number CONSTANT)
    Q_PROPERTY(ProcessKit::OutputLine::Flags flags READ flags CONSTANT)

public:
    enum Flag : quint8 {
        NoFlags = 0x0,
        Unterminated = 0x1,
        Fragment = 0x2,
        Continuation = 0x4,
    };
    Q_DECLARE_FLAGS(Flags, Flag)
    Q_FLAG(Flags)

    using Clock = std::chrono::steady_clock;

    OutputLine() = default;
    OutputLine(const QExplicitlySharedDataPointer<const OutputBlock> &block, quint32 index,
               quint32 offset, quint32 length, Flags flags)
        : m_block(block), m_index(index), m_offset(offset), m_length(length), m_flags(flags)
    {
    }

    QStringView text() const noexcept
    {
        return m_block ? QStringView(m_block->text).mid(m_offset, m_length) : QStringView();
    }
    QString toString() const { return text().toString(); }
    QProcess::ProcessChannel channel() const noexcept
    {
        return m_block ? m_block->channel : QProcess::StandardOutput;
    }
    qint64 number() const noexcept { return m_block ? m_block->firstNumber + m_index : -1; }
    Clock::time_point time() const noexcept
    {
        return m_block ? m_block->time : Clock::time_point();
    }
    Flags flags() const noexcept { return m_flags; }
    bool isComplete() const noexcept { return m_flags == NoFlags; }

    friend bool operator==(const OutputLine &a, const OutputLine &b) noexcept
    {
        return a.text() == b.text() && a.channel() == b.channel() && a.number() == b.number()
                && a.time() == b.time() && a.flags() == b.flags();
    }
    friend bool operator!=(const OutputLine &a, const OutputLine &b) noexcept { return !(a == b); }

private:
    QExplicitlySharedDataPointer<const OutputBlock> m_block;
    quint32 m_index = 0;
    quint32 m_offset = 0;
    quint32 m_length = 0;
    Flags m_flags;
};

Q_DECLARE_OPERATORS_FOR_FLAGS(OutputLine::Flags)

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const OutputLine &line);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::OutputLine, Q_RELOCATABLE_TYPE);

#endif // PROCESSKIT_OUTPUTLINE_H
