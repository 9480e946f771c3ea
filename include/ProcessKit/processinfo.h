// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSINFO_H
#define PROCESSKIT_PROCESSINFO_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qdatetime.h>
#include <QtCore/qobjectdefs.h>
#include <QtCore/qshareddata.h>
#include <QtCore/qstringlist.h>

namespace ProcessKit {

class ProcessInfoData;

class PROCESSKIT_EXPORT ProcessInfo
{
    Q_GADGET
    Q_PROPERTY(qint64 processId READ processId CONSTANT)
    Q_PROPERTY(qint64 parentProcessId READ parentProcessId CONSTANT)
    Q_PROPERTY(QString name READ name CONSTANT)
    Q_PROPERTY(QDateTime startTime READ startTime CONSTANT)

public:
    ProcessInfo();
    ProcessInfo(qint64 processId, qint64 parentProcessId, const QString &name, quint64 startTicks);
    ProcessInfo(const ProcessInfo &other);
    ProcessInfo(ProcessInfo &&other) noexcept;
    ProcessInfo &operator=(const ProcessInfo &other);
    ProcessInfo &operator=(ProcessInfo &&other) noexcept;
    ~ProcessInfo();

    bool isNull() const noexcept;
    qint64 processId() const noexcept;
    qint64 parentProcessId() const noexcept;
    QString name() const;
    quint64 startTicks() const noexcept;
    QDateTime startTime() const;
    bool isRunning() const;
    QStringList readCommandLine() const;

    friend PROCESSKIT_EXPORT bool operator==(const ProcessInfo &a, const ProcessInfo &b) noexcept;
    friend bool operator!=(const ProcessInfo &a, const ProcessInfo &b) noexcept
    {
        return !(a == b);
    }
    friend PROCESSKIT_EXPORT size_t qHash(const ProcessInfo &info, size_t seed) noexcept;

private:
    QSharedDataPointer<ProcessInfoData> d;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const ProcessInfo &info);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::ProcessInfo, Q_RELOCATABLE_TYPE);

#endif // PROCESSKIT_PROCESSINFO_H
