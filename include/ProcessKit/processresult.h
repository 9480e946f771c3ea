// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSRESULT_H
#define PROCESSKIT_PROCESSRESULT_H

#include <ProcessKit/containment.h>
#include <ProcessKit/expected.h>
#include <ProcessKit/processinfo.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qlist.h>
#include <QtCore/qshareddata.h>
#include <QtCore/qstringlist.h>

#include <chrono>
#include <optional>

namespace ProcessKit {

class PROCESSKIT_EXPORT ResourceUsage
{
    Q_GADGET
    Q_PROPERTY(qint64 maximumResidentBytes MEMBER maximumResidentBytes CONSTANT)

public:
    std::chrono::microseconds userTime{ 0 };
    std::chrono::microseconds systemTime{ 0 };
    qint64 maximumResidentBytes = 0;

    friend bool operator==(const ResourceUsage &, const ResourceUsage &) = default;
};

class Command;
class ProcessResultData;

class PROCESSKIT_EXPORT ProcessResult
{
    Q_GADGET
    Q_PROPERTY(ProcessKit::Outcome outcome READ outcome CONSTANT)
    Q_PROPERTY(bool success READ isSuccess CONSTANT)
    Q_PROPERTY(QString program READ program CONSTANT)
    Q_PROPERTY(QString standardOutput READ standardOutput CONSTANT)
    Q_PROPERTY(QString standardError READ standardError CONSTANT)
    Q_PROPERTY(QString combinedOutput READ combinedOutput CONSTANT)
    Q_PROPERTY(bool truncated READ isTruncated CONSTANT)
    Q_PROPERTY(bool streamsCut READ streamsCut CONSTANT)
    Q_PROPERTY(ProcessKit::Mechanism mechanism READ mechanism CONSTANT)

public:
    ProcessResult();
    ProcessResult(const ProcessResult &other);
    ProcessResult(ProcessResult &&other) noexcept;
    ProcessResult &operator=(const ProcessResult &other);
    ProcessResult &operator=(ProcessResult &&other) noexcept;
    ~ProcessResult();

    // For runners that start nothing
    static ProcessResult fromExitCode(int exitCode, const QByteArray &standardOutput = {},
                                      const QByteArray &standardError = {});
    static ProcessResult fromSignal(int signal, const QByteArray &standardOutput = {},
                                    const QByteArray &standardError = {});
    static ProcessResult fromOutcome(Outcome outcome, const QByteArray &standardOutput = {},
                                     const QByteArray &standardError = {});
    static ProcessResult fromError(const ProcessError &error);
    [[nodiscard]] ProcessResult withCommand(const Command &command) const;

    QString program() const;
    Outcome outcome() const noexcept;
    std::optional<int> exitCode() const noexcept;
    std::optional<int> signal() const noexcept;
    QString signalName() const;
    bool isSuccess() const noexcept;
    bool timedOut() const noexcept;
    ProcessError error() const;
    Expected<ProcessResult> ensureSuccess() const;

    QString standardOutput() const;
    QString standardError() const;
    QString combinedOutput() const;
    QByteArray standardOutputBytes() const;
    QByteArray standardErrorBytes() const;
    QString diagnostic() const;
    bool containsAny(const QStringList &texts) const;

    qint64 standardOutputByteCount() const noexcept;
    qint64 standardErrorByteCount() const noexcept;
    qint64 standardOutputLineCount() const noexcept;
    qint64 standardErrorLineCount() const noexcept;
    bool isTruncated() const noexcept;
    bool streamsCut() const noexcept;

    std::chrono::nanoseconds duration() const noexcept;
    int attempts() const noexcept;
    QList<ProcessInfo> leftovers() const;
    Mechanism mechanism() const noexcept;
    std::optional<ResourceUsage> resourceUsage() const noexcept;
    std::optional<qint64> oomKills() const noexcept;

    friend PROCESSKIT_EXPORT bool operator==(const ProcessResult &a,
                                             const ProcessResult &b) noexcept;
    friend bool operator!=(const ProcessResult &a, const ProcessResult &b) noexcept
    {
        return !(a == b);
    }

private:
    friend class CapturedRun;
    friend class CommandRun;
    friend class PipelineRun;
    friend class ProcessResultData;
    friend class ProcessRunner;
    explicit ProcessResult(ProcessResultData *data);
    QSharedDataPointer<ProcessResultData> d;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const ProcessResult &result);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::ProcessResult, Q_RELOCATABLE_TYPE);

#endif // PROCESSKIT_PROCESSRESULT_H
