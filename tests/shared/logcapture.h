// SPDX-License-Identifier: MIT
#ifndef PKTEST_LOGCAPTURE_H
#define PKTEST_LOGCAPTURE_H

#include <QtCore/qstringlist.h>

namespace PkTest {

// Keeps what is logged by whatever thread, as "category: message", for as long as it exists. One at
// a time.
class LogCapture
{
public:
    LogCapture();
    ~LogCapture();
    Q_DISABLE_COPY_MOVE(LogCapture)

    static QStringList lines();

private:
    const QtMessageHandler m_before;
};

} // namespace PkTest

#endif // PKTEST_LOGCAPTURE_H
