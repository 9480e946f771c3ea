// SPDX-License-Identifier: MIT
#include "systemdscope_p.h"

#include "scopejob_p.h"

#include <QtCore/qfile.h>
#include <QtCore/qtimer.h>
#include <QtDBus/qdbusargument.h>
#include <QtDBus/qdbuserror.h>
#include <QtDBus/qdbusmetatype.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <thread>

namespace ProcessKit::SystemdScope {

// a(sv) and a(sa(sv)), as StartTransientUnit() takes them
struct Property
{
    QString name;
    QDBusVariant value;
};
struct AuxiliaryUnit
{
    QString name;
    QList<Property> properties;
};

static QDBusArgument &operator<<(QDBusArgument &argument, const Property &property)
{
    argument.beginStructure();
    argument << property.name << property.value;
    argument.endStructure();
    return argument;
}

static const QDBusArgument &operator>>(const QDBusArgument &argument, Property &property)
{
    argument.beginStructure();
    argument >> property.name >> property.value;
    argument.endStructure();
    return argument;
}

static QDBusArgument &operator<<(QDBusArgument &argument, const AuxiliaryUnit &unit)
{
    argument.beginStructure();
    argument << unit.name << unit.properties;
    argument.endStructure();
    return argument;
}

static const QDBusArgument &operator>>(const QDBusArgument &argument, AuxiliaryUnit &unit)
{
    argument.beginStructure();
    argument >> unit.name >> unit.properties;
    argument.endStructure();
    return argument;
}

} // namespace ProcessKit::SystemdScope

Q_DECLARE_METATYPE(ProcessKit::SystemdScope::Property)
Q_DECLARE_METATYPE(ProcessKit::SystemdScope::AuxiliaryUnit)

namespace ProcessKit::SystemdScope {

namespace {

using namespace std::chrono_literals;

constexpr auto longestWait = 10s; // systemd answers in milliseconds when it is well

// The bus on which the service manager of this user listens, whatever the environment says:
// dbus-run-session(1) and the like make others, without a service manager.
QString busPath()
{
    return ::geteuid() == 0 ? QStringLiteral("/run/dbus/system_bus_socket")
                            : QStringLiteral("/run/user/%1/bus").arg(::geteuid());
}

} // namespace

// What went wrong, or nothing.
QString ScopeJob::run(QDBusConnection bus, qint64 member)
{
    constexpr int patience = int(std::chrono::milliseconds(longestWait).count());
    // without it a manager need not send its signals
    QDBusMessage reply = bus.call(call("Subscribe"), QDBus::Block, patience);
    if (reply.type() == QDBusMessage::ErrorMessage)
        return reply.errorMessage();
    if (!bus.connect(service(), path(), interface(), QStringLiteral("JobRemoved"), this,
                     SLOT(jobRemoved(QDBusMessage))))
        return QStringLiteral("no signal of systemd's can be had");

    const auto property = [](const char *name, const QVariant &value) {
        return Property{ QLatin1String(name), QDBusVariant(value) };
    };
    const QList<Property> properties = {
        property("Description", QStringLiteral("Process groups with resource limits")),
        property("PIDs", QVariant::fromValue(QList<uint>{ uint(member) })),
        property("Delegate", true),
        property("TasksMax", QVariant::fromValue(~qulonglong(0))), // none but the groups' own
        property("CollectMode", QStringLiteral("inactive-or-failed")), // no failed unit stays
    };
    QDBusMessage start = call("StartTransientUnit");
    start << m_unit << QStringLiteral("fail") << QVariant::fromValue(properties)
          << QVariant::fromValue(QList<AuxiliaryUnit>());
    reply = bus.call(start, QDBus::Block, patience);
    if (reply.type() == QDBusMessage::ErrorMessage)
        return reply.errorMessage();
    if (m_result.isEmpty()) {
        QTimer::singleShot(longestWait, &m_loop, &QEventLoop::quit);
        m_loop.exec();
    }
    if (m_result.isEmpty())
        return QStringLiteral("systemd has not made the scope in time");
    return m_result == QLatin1String("done")
            ? QString()
            : QStringLiteral("systemd's job ended with \"%1\"").arg(m_result);
}

namespace {

QString requestNow(const QString &name, qint64 member)
{
    qDBusRegisterMetaType<Property>();
    qDBusRegisterMetaType<QList<Property>>();
    qDBusRegisterMetaType<AuxiliaryUnit>();
    qDBusRegisterMetaType<QList<AuxiliaryUnit>>();
    const QString connection = QStringLiteral("ProcessKit-") + name;
    QString error;
    {
        const QDBusConnection bus =
                QDBusConnection::connectToBus(QStringLiteral("unix:path=") + busPath(), connection);

        error = bus.isConnected() ? ScopeJob(name).run(bus, member) : bus.lastError().message();
    }
    QDBusConnection::disconnectFromBus(connection);
    return error;
}

} // namespace

QString whyNot()
{
    const QString path = busPath();
    if (::access(QFile::encodeName(path).constData(), W_OK) == 0)
        return {};
    return QStringLiteral("there is no systemd to ask for a scope (%1: %2)")
            .arg(path, qt_error_string(errno));
}

void request(const QString &name, qint64 member, const std::function<void(const QString &)> &then)
{
    // not one of the threads for replies: each has an event loop, and with it a descriptor, for as
    // long as it lives
    const auto task = [name, member, then] { then(requestNow(name, member)); };
    sigset_t all, previous;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &previous);
    QString problem;
    try {
        std::thread(task).detach();
    } catch (const std::system_error &error) {
        problem = QString::fromLocal8Bit(error.what());
    }
    ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    if (!problem.isEmpty())
        then(problem);
}

} // namespace ProcessKit::SystemdScope
