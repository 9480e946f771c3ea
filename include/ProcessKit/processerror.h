// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSERROR_H
#define PROCESSKIT_PROCESSERROR_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qobjectdefs.h>
#include <QtCore/qshareddata.h>
#include <QtCore/qstringlist.h>

namespace ProcessKit {

class ProcessErrorData;

class PROCESSKIT_EXPORT ProcessError
{
    Q_GADGET
    Q_PROPERTY(Kind kind READ kind CONSTANT)
    Q_PROPERTY(QString program READ program CONSTANT)
    Q_PROPERTY(QString operation READ operation CONSTANT)
    Q_PROPERTY(int nativeCode READ nativeCode CONSTANT)
    Q_PROPERTY(int exitCode READ exitCode CONSTANT)
    Q_PROPERTY(int signal READ signal CONSTANT)
    Q_PROPERTY(QString standardOutput READ standardOutput CONSTANT)
    Q_PROPERTY(QString standardError READ standardError CONSTANT)
    Q_PROPERTY(QString text READ text CONSTANT)
    Q_PROPERTY(QString diagnostic READ diagnostic CONSTANT)
    Q_PROPERTY(QStringList searchedDirectories READ searchedDirectories CONSTANT)

public:
    enum class Kind {
        None = 0,
        InvalidArgument,
        NotFound,
        PermissionDenied,
        WorkingDirectory,
        Redirection,
        ResourceLimit,
        Unsupported,
        Keeper,
        ContainmentLost,
        Spawn,
        Cancelled,
        Exit,
        Signalled,
        Timeout,
        InactivityTimeout,
        OutputTooLarge,
        Parse,
        Input,
        Suspended,
    };
    Q_ENUM(Kind)

    ProcessError();
    ProcessError(Kind kind, const QString &program, const QString &operation, int nativeCode,
                 const QString &detail = {}, const QStringList &searchedDirectories = {});
    static ProcessError parseError(const QString &program, const QString &what);
    ProcessError(const ProcessError &other);
    ProcessError(ProcessError &&other) noexcept;
    ProcessError &operator=(const ProcessError &other);
    ProcessError &operator=(ProcessError &&other) noexcept;
    ~ProcessError();

    Kind kind() const noexcept;
    QString program() const;
    QString operation() const;
    int nativeCode() const noexcept;
    QStringList searchedDirectories() const;
    int exitCode() const noexcept;
    int signal() const noexcept;
    QString standardOutput() const;
    QString standardError() const;
    bool isTransient() const noexcept;
    QString text() const;
    QString diagnostic() const;
    explicit operator bool() const noexcept { return kind() != Kind::None; }

    friend PROCESSKIT_EXPORT bool operator==(const ProcessError &a, const ProcessError &b) noexcept;
    friend bool operator!=(const ProcessError &a, const ProcessError &b) noexcept
    {
        return !(a == b);
    }

private:
    friend class ProcessResult;
    explicit ProcessError(ProcessErrorData *data);
    QSharedDataPointer<ProcessErrorData> d;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const ProcessError &error);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::ProcessError, Q_RELOCATABLE_TYPE);

#endif // PROCESSKIT_PROCESSERROR_H
