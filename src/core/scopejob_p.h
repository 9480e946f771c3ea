// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_SCOPEJOB_P_H
#define PROCESSKIT_SCOPEJOB_P_H

#include <QtCore/qeventloop.h>
#include <QtCore/qobject.h>
#include <QtDBus/qdbusconnection.h>
#include <QtDBus/qdbusmessage.h>

namespace ProcessKit::SystemdScope {

// systemd's job of making one scope, which is asked for and waited for.
class ScopeJob : public QObject
{
    Q_OBJECT

public:
    explicit ScopeJob(const QString &unit) : m_unit(unit) { }

    QString run(QDBusConnection bus, qint64 member);

private Q_SLOTS:
    // number, job, unit, result
    void jobRemoved(const QDBusMessage &signal)
    {
        const QVariantList arguments = signal.arguments();
        if (arguments.size() != 4 || arguments.at(2).toString() != m_unit)
            return;
        m_result = arguments.at(3).toString();
        m_loop.quit();
    }

private:
    static QDBusMessage call(const char *method)
    {
        return QDBusMessage::createMethodCall(service(), path(), interface(),
                                              QLatin1String(method));
    }
    static QString service() { return QStringLiteral("org.freedesktop.systemd1"); }
    static QString path() { return QStringLiteral("/org/freedesktop/systemd1"); }
    static QString interface() { return QStringLiteral("org.freedesktop.systemd1.Manager"); }

    const QString m_unit;
    QString m_result;
    QEventLoop m_loop;
};

} // namespace ProcessKit::SystemdScope

#endif // PROCESSKIT_SCOPEJOB_P_H
