// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CONTAINMENT_H
#define PROCESSKIT_CONTAINMENT_H

#include <ProcessKit/processkitenums.h>

#include <QtCore/qobjectdefs.h>
#include <QtCore/qshareddata.h>
#include <QtCore/qstringlist.h>

QT_BEGIN_NAMESPACE
class QDebug;
QT_END_NAMESPACE

namespace ProcessKit {

class ContainmentData;

class PROCESSKIT_EXPORT Containment
{
    Q_GADGET
    Q_PROPERTY(ProcessKit::Mechanism mechanism READ mechanism CONSTANT)
    Q_PROPERTY(QString reason READ reason CONSTANT)
    Q_PROPERTY(KeeperSource keeperSource READ keeperSource CONSTANT)
    Q_PROPERTY(QString keeperPath READ keeperPath CONSTANT)
    Q_PROPERTY(bool endsWithOwner READ endsWithOwner CONSTANT)
    Q_PROPERTY(bool holdsNewSessions READ holdsNewSessions CONSTANT)
    Q_PROPERTY(QString location READ location CONSTANT)
    Q_PROPERTY(ControllerSource controllerSource READ controllerSource CONSTANT)
    Q_PROPERTY(QStringList controllers READ controllers CONSTANT)
    Q_PROPERTY(QString controllerReason READ controllerReason CONSTANT)

public:
    enum class KeeperSource {
        Unavailable = 0,
        Executable = 1,
        EmbeddedCopy = 2,
    };
    Q_ENUM(KeeperSource)

    enum class KeeperPolicy {
        Required = 0,
        Optional = 1,
    };
    Q_ENUM(KeeperPolicy)

    enum class OwnCgroupPolicy {
        Stay = 0,
        MayMove = 1,
    };
    Q_ENUM(OwnCgroupPolicy)

    Containment();
    Containment(const Containment &other);
    Containment(Containment &&other) noexcept;
    Containment &operator=(const Containment &other);
    Containment &operator=(Containment &&other) noexcept;
    ~Containment();

    static Containment query();
    static Containment query(Mechanism wanted);

    static KeeperPolicy keeperPolicy();
    static void setKeeperPolicy(KeeperPolicy policy);
    static qint64 keeperProcessId();
    static OwnCgroupPolicy ownCgroupPolicy();
    static void setOwnCgroupPolicy(OwnCgroupPolicy policy);

    Mechanism mechanism() const;
    QString reason() const;
    KeeperSource keeperSource() const;
    QString keeperPath() const;
    bool endsWithOwner() const;
    bool holdsNewSessions() const;
    QString location() const;
    ControllerSource controllerSource() const;
    QStringList controllers() const;
    QString controllerReason() const;

    friend PROCESSKIT_EXPORT bool operator==(const Containment &a, const Containment &b) noexcept;
    friend bool operator!=(const Containment &a, const Containment &b) noexcept
    {
        return !(a == b);
    }

private:
    QSharedDataPointer<ContainmentData> d;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const Containment &containment);
#endif

} // namespace ProcessKit

#endif // PROCESSKIT_CONTAINMENT_H
