// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CAPTURE_P_H
#define PROCESSKIT_CAPTURE_P_H

#include <ProcessKit/outputpolicy.h>

#include <QtCore/qbytearray.h>

namespace ProcessKit {

// What is kept of one stream: all of it, or what a policy lets through.
class Capture
{
public:
    void setPolicy(const OutputPolicy &policy) { m_policy = policy; }

    void append(QByteArrayView bytes);
    // what is kept; nothing is to be appended afterwards
    QByteArray take();

    qint64 byteCount() const { return m_byteCount; }
    qint64 lineCount() const { return m_lineCount + (m_endsInLine ? 1 : 0); }
    bool isTruncated() const { return m_truncated; }
    // more has come than a policy that fails allows
    bool isTooMuch() const { return m_tooMuch; }

private:
    void count(QByteArrayView bytes);
    void keep(QByteArrayView bytes);
    void trimFront();
    qsizetype beginOfLastLines(qint64 lines) const;

    OutputPolicy m_policy;
    QByteArray m_kept;
    qint64 m_keptLines = 0; // line ends in what is kept
    qint64 m_byteCount = 0;
    qint64 m_lineCount = 0; // line ends that have come
    bool m_endsInLine = false;
    bool m_truncated = false;
    bool m_sealed = false; // nothing more is kept
    bool m_tooMuch = false;
};

} // namespace ProcessKit

#endif // PROCESSKIT_CAPTURE_P_H
