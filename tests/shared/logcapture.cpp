// SPDX-License-Identifier: MIT
#include "logcapture.h"

#include <mutex>

namespace PkTest {

namespace {

std::mutex mutex;
QStringList logged;

void remember(QtMsgType, const QMessageLogContext &context, const QString &message)
{
    const std::lock_guard lock(mutex);
    logged.append(QString::fromLatin1(context.category) + QLatin1String(": ") + message);
}

} // namespace

LogCapture::LogCapture() : m_before(qInstallMessageHandler(remember))
{
    const std::lock_guard lock(mutex);
    logged.clear();
}

LogCapture::~LogCapture()
{
    qInstallMessageHandler(m_before);
}

QStringList LogCapture::lines()
{
    const std::lock_guard lock(mutex);
    return logged;
}

} // namespace PkTest
