// SPDX-License-Identifier: MIT
#include <ProcessKit/containment.h>

#include "controllersource_p.h"
#include "convert_p.h"
#include "host.h"
#include "systemdscope_p.h"

#include <QtCore/qdebug.h>
#include <QtCore/qfile.h>

namespace ProcessKit {

/*!
    \enum ProcessKit::Mechanism
    \brief What holds the processes of a tree.

    The greater the value, the weaker the mechanism.

    \value None
        Nothing has been started. As a wish: the best that this host gives.
    \value CgroupV2
        A cgroup (cgroups(7)) for each start. The direct child is born in it, whatever it starts is
        born in it, and the kernel ends all of it in one operation. Needs Linux 5.14 and permission
        to make cgroups.
    \value Subreaper
        A group keeper for each start: a small process that is the subreaper
        (PR_SET_CHILD_SUBREAPER, prctl(2)) of all that descends from it. Needs no permission.
    \value ProcessGroup
        A process group (setpgid(2)) for each start. What calls setsid(2) or setpgid(2) leaves it.
        Used by request, and where nothing else can be: see
        ContainedProcess::setChildProcessModifier() and Containment::setKeeperPolicy().
    \value JobObject
        The mechanism of Windows. A start that asks for it on Linux fails with
        ProcessError::Kind::Unsupported.
*/

/*!
    \enum ProcessKit::Leftovers
    \brief What happens to members of a tree that are still there when the direct child has exited.

    It applies to a process that is in no ProcessGroup; in a group they always stay.

    \value Drain
        They get time for their last words, then they are killed: when none of the process's
        streams has given anything for 200 ms, and after 2 s at the latest. The default.
    \value KillAtOnce
        They are killed at once. What they had written before is still read.
    \value Leave
        They stay until the object is destroyed, or until ContainedProcess::kill() or
        ContainedProcess::shutdown(). finished() does not wait for them longer than \c Drain would;
        what they write after it is read and dropped, so that they do not end by SIGPIPE.

    \sa ContainedProcess::leftovers, ContainedProcess::leftoversFound()
*/

/*!
    \class ProcessKit::Containment
    \inmodule ProcessKit
    \inheaderfile ProcessKit/Containment
    \brief What this host can do to hold processes, asked before anything is started.

    \code
    const Containment host = Containment::query();
    if (host.mechanism() != Mechanism::CgroupV2)
        qInfo() << host.reason();
    if (!host.endsWithOwner())
        qWarning("a crash of this program would leave its builds running");
    \endcode

    query() looks at the system as it is and neither starts nor makes anything. Its answer is no
    reservation: where a start finds that no cgroup can be made after all, it takes the next
    mechanism, and ContainedProcess::mechanism() names what it got.

    All static functions are thread-safe. An object is an implicitly shared value.
*/

/*!
    \enum ProcessKit::Containment::KeeperSource
    \brief Where the keeper comes from, the process that ends every tree when this one has died.

    \value Unavailable
        It cannot be run; reason() says why.
    \value Executable
        The file keeperPath().
    \value EmbeddedCopy
        The copy that the library carries, run from memory (memfd_create(2)).
*/

/*!
    \enum ProcessKit::Containment::KeeperPolicy
    \brief What a start does where no keeper can be run.

    \value Required
        It fails with ProcessError::Kind::Keeper. The default.
    \value Optional
        It goes on without. Trees then end with their objects, at kill(), and at an orderly end of
        the program (exit(3), or the end of \c main()), but outlive it when it is killed or
        crashes. Only the direct child ends then too, by its parent-death signal (PR_SET_PDEATHSIG,
        prctl(2)). Mechanism::Subreaper is not to be had without a keeper.

    \sa setKeeperPolicy()
*/

/*!
    \enum ProcessKit::Containment::OwnCgroupPolicy
    \brief What a ProcessGroup with limits does in a cgroup that was delegated to this program, and
    in which the program is itself.

    The kernel gives controllers only to what is below a cgroup without processes (cgroups(7), "no
    internal processes").

    \value Stay
        It does not use it, and asks systemd. The default.
    \value MayMove
        Every process in that cgroup, whoever has started it, moves into the cgroup
        \c processkit-members below it.

    \sa setOwnCgroupPolicy()
*/

/*!
    \enum ProcessKit::ControllerSource
    \brief Where the cgroup controllers come from that enforce ResourceLimits.

    \value None
        Nowhere: there are none, or none are wanted.
    \value OwnCgroup
        The cgroup of this program has them: usually that of root in a container or on a host
        without systemd.
    \value DelegatedSubtree
        A cgroup that was left to this program (systemd's \c Delegate=yes, or one that belongs to
        its user where there is no systemd).
    \value SystemdScope
        A transient scope with \c Delegate=yes that systemd has made: the user's service manager for
        an ordinary user, the system's for root.

    \sa ProcessGroup::controllerSource(), Containment::controllerSource()
*/

class ContainmentData : public QSharedData
{
public:
    Mechanism mechanism = Mechanism::None;
    QString reason;
    Containment::KeeperSource keeperSource = Containment::KeeperSource::Unavailable;
    QString keeperPath;
    QString location;
    bool endsWithOwner = false;
    bool holdsNewSessions = false;
    ControllerSource controllerSource = ControllerSource::None;
    QStringList controllers;
    QString controllerReason;
};

namespace {

Containment::KeeperSource toKeeperSource(Native::KeeperClient::Source source)
{
    switch (source) {
    case Native::KeeperClient::Source::None:
        break;
    case Native::KeeperClient::Source::Executable:
        return Containment::KeeperSource::Executable;
    case Native::KeeperClient::Source::EmbeddedCopy:
        return Containment::KeeperSource::EmbeddedCopy;
    }
    return Containment::KeeperSource::Unavailable;
}

void fill(ContainmentData *data, const Native::Host &host)
{
    data->reason = QFile::decodeName(host.reason.c_str());
    data->keeperSource = toKeeperSource(host.keeper.source);
    data->keeperPath = QFile::decodeName(host.keeper.path.c_str());
    data->location = QFile::decodeName(host.location.c_str());
    if (!host.kind)
        return;
    data->mechanism = toMechanism(*host.kind);
    data->endsWithOwner = data->keeperSource != Containment::KeeperSource::Unavailable;
    data->holdsNewSessions = *host.kind != Native::TreeKind::ProcessGroup;
}

// What is to be had without asking systemd, else what systemd would probably delegate.
void fillControllers(ContainmentData *data)
{
    using Native::ControllerPlace;
    Native::Controllers found = 0;
    for (const Native::Controllers controller :
         { Native::CpuController, Native::IoController, Native::MemoryController,
           Native::PidsController }) {
        const ControllerPlace place = ControllerPlace::find(controller);
        if (place.source == ControllerPlace::Source::None) {
            data->controllerReason = QFile::decodeName(place.reason.c_str());
            continue;
        }
        found |= controller;
        data->controllerSource = toControllerSource(place.source);
    }
    if (!found) {
        const QString whyNot = SystemdScope::whyNot();
        if (whyNot.isEmpty()) {
            found = ControllerPlace::ofServiceManager();
            data->controllerSource = ControllerSource::SystemdScope;
            data->controllerReason.clear();
        } else {
            data->controllerReason += QLatin1String("; ") + whyNot;
        }
    }
    if (found)
        data->controllers =
                QString::fromStdString(Native::namesOf(found)).split(QLatin1String(", "));
}

} // namespace

/*!
    Constructs the answer of a host that cannot hold anything: the mechanism is Mechanism::None.

    \sa query()
*/
Containment::Containment() : d(new ContainmentData) { }
/*!
    Constructs a copy of \a other.
*/
Containment::Containment(const Containment &other) = default;
/*!
    Moves \a other into a new object. \a other can only be destroyed or assigned to.
*/
Containment::Containment(Containment &&other) noexcept = default;
/*!
    Assigns \a other.
*/
Containment &Containment::operator=(const Containment &other) = default;
/*!
    Moves \a other here. \a other can only be destroyed or assigned to.
*/
Containment &Containment::operator=(Containment &&other) noexcept = default;
/*!
    Destroys the object.
*/
Containment::~Containment() = default;

/*!
    Returns what a start without special wishes would be held by: the best mechanism that is
    possible, and why it is not a better one.
*/
Containment Containment::query()
{
    Containment containment;
    fill(containment.d.data(), Native::Host::query());
    fillControllers(containment.d.data());
    return containment;
}

/*!
    \overload

    Returns whether a start that asks for \a wanted would be held by it. If not, mechanism() is
    Mechanism::None and reason() says why. Mechanism::None asks for the best one.

    \sa ContainedProcess::setRequestedMechanism()
*/
Containment Containment::query(Mechanism wanted)
{
    if (wanted == Mechanism::None)
        return query();
    Containment containment;
    if (wanted == Mechanism::JobObject)
        containment.d->reason = QStringLiteral("job objects are a mechanism of Windows");
    else
        fill(containment.d.data(), Native::Host::query(toTreeKind(wanted)));
    if (wanted == Mechanism::CgroupV2)
        fillControllers(containment.d.data());
    else
        containment.d->controllerReason = QStringLiteral("only a cgroup can have limits");
    return containment;
}

/*!
    Returns what starts of this process do where no keeper can be run. The default is
    KeeperPolicy::Required.
*/
Containment::KeeperPolicy Containment::keeperPolicy()
{
    return Native::KeeperClient::isOptional() ? KeeperPolicy::Optional : KeeperPolicy::Required;
}

/*!
    Sets what starts of this process do where no keeper can be run to \a policy. It counts for the
    starts after the call.
*/
void Containment::setKeeperPolicy(KeeperPolicy policy)
{
    Native::KeeperClient::setOptional(policy == KeeperPolicy::Optional);
}

/*!
    Returns whether this process, and others in its cgroup, may be moved for the sake of limits. The
    default is OwnCgroupPolicy::Stay.
*/
Containment::OwnCgroupPolicy Containment::ownCgroupPolicy()
{
    return Native::ControllerPlace::mayMoveProcesses() ? OwnCgroupPolicy::MayMove
                                                       : OwnCgroupPolicy::Stay;
}

/*!
    Sets whether this process, and others in its cgroup, may be moved to \a policy. It counts for
    the groups with limits that are started in after the call.
*/
void Containment::setOwnCgroupPolicy(OwnCgroupPolicy policy)
{
    Native::ControllerPlace::setMayMoveProcesses(policy == OwnCgroupPolicy::MayMove);
}

/*!
    Returns the process id of the running keeper. It is 0 before the first start, and when the
    keeper was killed and no other could take its place.
*/
qint64 Containment::keeperProcessId()
{
    return Native::KeeperClient::runningPid();
}

/*!
    \property ProcessKit::Containment::mechanism
    \brief What a start would be held by; Mechanism::None where it would fail.
*/
Mechanism Containment::mechanism() const
{
    return d->mechanism;
}

/*!
    \property ProcessKit::Containment::reason
    \brief Why the answer is not better: one line of English, its parts separated by "; ".

    It is empty where the best mechanism, or the one asked for, can be had with a keeper. For
    Mechanism::ProcessGroup it always names the weakness.
*/
QString Containment::reason() const
{
    return d->reason;
}

/*!
    \property ProcessKit::Containment::keeperSource
    \brief Where the keeper would come from.
*/
Containment::KeeperSource Containment::keeperSource() const
{
    return d->keeperSource;
}

/*!
    \property ProcessKit::Containment::keeperPath
    \brief The keeper's file. It is empty for the embedded copy, and where there is no keeper.
*/
QString Containment::keeperPath() const
{
    return d->keeperPath;
}

/*!
    \property ProcessKit::Containment::endsWithOwner
    \brief Whether a tree ends when this process is killed or crashes: whether a keeper can be run.
*/
bool Containment::endsWithOwner() const
{
    return d->endsWithOwner;
}

/*!
    \property ProcessKit::Containment::holdsNewSessions
    \brief Whether what calls setsid(2), and thus any daemon, is held as well.

    It is \c false for Mechanism::ProcessGroup only, and where nothing can be held.
*/
bool Containment::holdsNewSessions() const
{
    return d->holdsNewSessions;
}

/*!
    \property ProcessKit::Containment::location
    \brief The directory of the cgroup in which this application's cgroup would be made.

    It is empty where none may be made, and for the other mechanisms.
*/
QString Containment::location() const
{
    return d->location;
}

/*!
    \property ProcessKit::Containment::controllerSource
    \brief Where a ProcessGroup with ResourceLimits would get its controllers from;
    ControllerSource::None where it would get none.
*/
ControllerSource Containment::controllerSource() const
{
    return d->controllerSource;
}

/*!
    \property ProcessKit::Containment::controllers
    \brief The controllers that limits can use here, of \c cpu, \c io, \c memory and \c pids.

    With ControllerSource::SystemdScope they are those of the service manager, which usually gives
    all of its own; nobody is asked.
*/
QStringList Containment::controllers() const
{
    return d->controllers;
}

/*!
    \property ProcessKit::Containment::controllerReason
    \brief Why controllers are missing: one line of English. It is empty where none is.
*/
QString Containment::controllerReason() const
{
    return d->controllerReason;
}

/*!
    \fn bool ProcessKit::Containment::operator==(const Containment &a, const Containment &b)

    Returns \c true if \a a and \a b are equal in every property.
*/

/*!
    \fn bool ProcessKit::Containment::operator!=(const Containment &a, const Containment &b)

    Returns \c true if \a a and \a b differ in any property.
*/
bool operator==(const Containment &a, const Containment &b) noexcept
{
    return a.mechanism() == b.mechanism() && a.reason() == b.reason()
            && a.keeperSource() == b.keeperSource() && a.keeperPath() == b.keeperPath()
            && a.location() == b.location() && a.endsWithOwner() == b.endsWithOwner()
            && a.holdsNewSessions() == b.holdsNewSessions()
            && a.controllerSource() == b.controllerSource() && a.controllers() == b.controllers()
            && a.controllerReason() == b.controllerReason();
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::Containment

    Writes the mechanism, the keeper's source and the reason of \a containment to \a debug.
*/
QDebug operator<<(QDebug debug, const Containment &containment)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "Containment(" << containment.mechanism() << ", keeper "
                    << containment.keeperSource();
    if (!containment.reason().isEmpty())
        debug << ", " << containment.reason();
    debug << ')';
    return debug;
}
#endif

} // namespace ProcessKit
