// SPDX-License-Identifier: MIT
#include <ProcessKit/containment.h>

#include "convert_p.h"
#include "host.h"

#include <QtCore/qdebug.h>
#include <QtCore/qfile.h>

namespace ProcessKit {

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

} // namespace

Containment::Containment() : d(new ContainmentData) { }
Containment::Containment(const Containment &other) = default;
Containment::Containment(Containment &&other) noexcept = default;
Containment &Containment::operator=(const Containment &other) = default;
Containment &Containment::operator=(Containment &&other) noexcept = default;
Containment::~Containment() = default;

Containment Containment::query()
{
    Containment containment;
    fill(containment.d.data(), Native::Host::query());
    return containment;
}

Containment Containment::query(Mechanism wanted)
{
    if (wanted == Mechanism::None)
        return query();
    Containment containment;
    if (wanted == Mechanism::JobObject)
        containment.d->reason = QStringLiteral("job objects are a mechanism of Windows");
    else
        fill(containment.d.data(), Native::Host::query(toTreeKind(wanted)));
    return containment;
}

Containment::KeeperPolicy Containment::keeperPolicy()
{
    return Native::KeeperClient::isOptional() ? KeeperPolicy::Optional : KeeperPolicy::Required;
}

void Containment::setKeeperPolicy(KeeperPolicy policy)
{
    Native::KeeperClient::setOptional(policy == KeeperPolicy::Optional);
}

qint64 Containment::keeperProcessId()
{
    return Native::KeeperClient::runningPid();
}

Mechanism Containment::mechanism() const
{
    return d->mechanism;
}

QString Containment::reason() const
{
    return d->reason;
}

Containment::KeeperSource Containment::keeperSource() const
{
    return d->keeperSource;
}

QString Containment::keeperPath() const
{
    return d->keeperPath;
}

bool Containment::endsWithOwner() const
{
    return d->endsWithOwner;
}

bool Containment::holdsNewSessions() const
{
    return d->holdsNewSessions;
}

QString Containment::location() const
{
    return d->location;
}

bool operator==(const Containment &a, const Containment &b) noexcept
{
    return a.mechanism() == b.mechanism() && a.reason() == b.reason()
            && a.keeperSource() == b.keeperSource() && a.keeperPath() == b.keeperPath()
            && a.location() == b.location() && a.endsWithOwner() == b.endsWithOwner()
            && a.holdsNewSessions() == b.holdsNewSessions();
}

#ifndef QT_NO_DEBUG_STREAM
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
