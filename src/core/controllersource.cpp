// SPDX-License-Identifier: MIT
#include "controllersource_p.h"

#include "systemdscope_p.h"

#include "cgroup_location.h"
#include "keeper_client.h"
#include "owner_stamp.h"
#include "reactor.h"

#include <QtCore/qfile.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <utility>
#include <vector>

namespace ProcessKit {

using Native::ControllerPlace;
using Native::KeeperClient;
using Native::Reactor;

namespace {

using Continuation = std::function<void(const ControllerPlace &)>;

// The application's scope, made around its keeper, which stays in it: a scope goes with its last
// process, and where only the keeper may spawn into it, it does so from there. Reactor thread only.
class ApplicationScope
{
public:
    void obtain(std::string whyNothingElse, Continuation then)
    {
        if (!m_directory.empty() && isKeeperInside()) {
            then(ControllerPlace::inScope(m_directory));
            return;
        }
        m_reason = std::move(whyNothingElse);
        m_waiting.push_back(std::move(then));
        if (m_waiting.size() == 1)
            request();
    }

private:
    void request()
    {
        m_directory.clear();
        if (const int error = KeeperClient::instance().ensure()) {
            finish("no keeper: " + std::string(strerror(error)));
            return;
        }
        const qint64 keeper = KeeperClient::runningPid();
        QString name = QFile::decodeName(Native::OwnerStamp::own().name().c_str());
        name += QStringLiteral(".%1.scope").arg(++m_count);
        SystemdScope::request(name, keeper, [this, name, keeper](const QString &error) {
            Reactor::instance().post([this, name, keeper, error] {
                m_directory = Native::CgroupLocation::directoryOf(pid_t(keeper));
                const bool isThere =
                        m_directory.ends_with('/' + QFile::encodeName(name).toStdString());
                if (!isThere)
                    m_directory.clear();
                finish(error.isEmpty() && !isThere ? "the keeper is not in the scope "
                                       + Native::CgroupLocation::directoryOf(pid_t(keeper))
                                                   : error.toStdString());
            });
        });
    }

    void finish(const std::string &error)
    {
        ControllerPlace place;
        if (error.empty())
            place = ControllerPlace::inScope(m_directory);
        else
            place.reason = m_reason + "; systemd makes no scope: " + error;
        for (const Continuation &then : std::exchange(m_waiting, {}))
            then(place);
    }

    bool isKeeperInside() const
    {
        return Native::CgroupLocation::directoryOf(KeeperClient::runningPid())
                .starts_with(m_directory + '/');
    }

    std::string m_directory; // empty while there is none
    std::string m_reason;
    std::vector<Continuation> m_waiting;
    unsigned m_count = 0;
};

} // namespace

void obtainControllers(Native::Controllers wanted, Continuation then)
{
    static auto *scope = new ApplicationScope; // the reactor's, and so it outlives everything
    ControllerPlace place = ControllerPlace::find(wanted);
    if (place.source == ControllerPlace::Source::None) {
        const QString whyNot = SystemdScope::whyNot();
        if (whyNot.isEmpty()) {
            scope->obtain(std::move(place.reason), std::move(then));
            return;
        }
        place.reason += "; " + whyNot.toStdString();
    }
    then(place);
}

ControllerSource toControllerSource(ControllerPlace::Source source)
{
    switch (source) {
    case ControllerPlace::Source::None:
        break;
    case ControllerPlace::Source::OwnCgroup:
        return ControllerSource::OwnCgroup;
    case ControllerPlace::Source::DelegatedSubtree:
        return ControllerSource::DelegatedSubtree;
    case ControllerPlace::Source::SystemdScope:
        return ControllerSource::SystemdScope;
    }
    return ControllerSource::None;
}

} // namespace ProcessKit
