// SPDX-License-Identifier: MIT
#include "capture_p.h"

#include <algorithm>

namespace ProcessKit {

namespace {

qint64 countLineEnds(QByteArrayView bytes)
{
    return std::count(bytes.begin(), bytes.end(), '\n');
}

// the length of the first \a lines lines, or of everything when there are fewer
qsizetype lengthOfLines(QByteArrayView bytes, qint64 lines)
{
    qsizetype length = 0;
    for (; lines > 0 && length < bytes.size(); --lines) {
        const qsizetype end = bytes.indexOf('\n', length);
        length = end < 0 ? bytes.size() : end + 1;
    }
    return length;
}

} // namespace

void Capture::append(QByteArrayView bytes)
{
    if (bytes.isEmpty())
        return;
    count(bytes);
    if (m_sealed)
        return;
    const bool dropsOldest = m_policy.overflow == OutputPolicy::Overflow::DropOldest;
    if (!m_policy.isBounded() || dropsOldest) {
        keep(bytes);
        if (m_policy.isBounded())
            trimFront();
        return;
    }
    // a strict prefix: the first that does not fit ends it
    qsizetype length = bytes.size();
    if (m_policy.maximumBytes >= 0)
        length = std::min<qint64>(length, m_policy.maximumBytes - m_kept.size());
    if (m_policy.maximumLines >= 0)
        length = std::min(length, lengthOfLines(bytes, m_policy.maximumLines - m_keptLines));
    keep(bytes.first(length));
    if (length == bytes.size())
        return;
    m_sealed = m_truncated = true;
    m_tooMuch = m_policy.overflow == OutputPolicy::Overflow::Fail;
}

QByteArray Capture::take()
{
    if (m_policy.isBounded() && m_policy.overflow == OutputPolicy::Overflow::DropOldest) {
        qsizetype begin = 0;
        if (m_policy.maximumLines >= 0)
            begin = beginOfLastLines(m_policy.maximumLines);
        if (m_policy.maximumBytes >= 0)
            begin = std::max<qint64>(begin, m_kept.size() - m_policy.maximumBytes);
        m_truncated |= begin > 0;
        m_kept.remove(0, begin);
    }
    m_kept.squeeze();
    return std::move(m_kept);
}

void Capture::count(QByteArrayView bytes)
{
    m_byteCount += bytes.size();
    m_lineCount += countLineEnds(bytes);
    m_endsInLine = bytes.back() != '\n';
}

void Capture::keep(QByteArrayView bytes)
{
    // half as much again, not twice: the pages that are not used yet cost nothing, but the last
    // step is not to be as large as all before it
    if (m_kept.capacity() < m_kept.size() + bytes.size())
        m_kept.reserve(std::max(m_kept.size() + bytes.size(), m_kept.size() + m_kept.size() / 2));
    m_kept.append(bytes.data(), bytes.size());
    if (m_policy.maximumLines >= 0)
        m_keptLines += countLineEnds(bytes);
}

// Not at each read: what is moved is paid for by at least as much that has come.
void Capture::trimFront()
{
    constexpr qint64 slack = 64 * 1024;
    qsizetype begin = 0;
    if (m_policy.maximumBytes >= 0
        && m_kept.size() > m_policy.maximumBytes + std::max(slack, m_policy.maximumBytes / 4))
        begin = m_kept.size() - m_policy.maximumBytes;
    if (m_policy.maximumLines >= 0
        && m_keptLines > m_policy.maximumLines + std::max<qint64>(1024, m_policy.maximumLines / 4))
        begin = std::max(begin, beginOfLastLines(m_policy.maximumLines));
    if (begin == 0)
        return;
    m_truncated = true;
    if (m_policy.maximumLines >= 0)
        m_keptLines -= countLineEnds(QByteArrayView(m_kept).first(begin));
    m_kept.remove(0, begin);
}

qsizetype Capture::beginOfLastLines(qint64 lines) const
{
    if (lines <= 0)
        return m_kept.size();
    qsizetype at = m_kept.endsWith('\n') ? m_kept.size() - 1 : m_kept.size();
    for (; lines > 0; --lines) {
        if (at <= 0)
            return 0;
        at = m_kept.lastIndexOf('\n', at - 1);
        if (at < 0)
            return 0;
    }
    return at + 1;
}

} // namespace ProcessKit
