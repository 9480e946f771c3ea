// SPDX-License-Identifier: MIT
#include "cleantest.h"

#include "cgroups.h"
#include "procfs.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qdir.h>
#include <QtCore/qfileinfo.h>
#include <QtCore/quuid.h>

#include <signal.h>
#include <unistd.h>

using namespace ProcessKit;

namespace PkTest {

// empty cgroups that the library may keep for its next starts
constexpr qsizetype CgroupPool = 32;

static QString programBeside(const QString &name)
{
    return QCoreApplication::applicationDirPath() + QLatin1Char('/') + name;
}

QString helper()
{
    return programBeside(QStringLiteral("pk-helper"));
}

QString owner()
{
    return programBeside(QStringLiteral("pk-owner"));
}

QString faults()
{
    return programBeside(QStringLiteral("pk-faults"));
}

QByteArray mechanismName(Mechanism mechanism)
{
    return QMetaEnum::fromType<Mechanism>().valueToKey(int(mechanism));
}

void addMechanismRows()
{
    QTest::addColumn<Mechanism>("mechanism");
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        QTest::newRow(mechanismName(mechanism).constData()) << mechanism;
    }
}

bool isPossible(Mechanism mechanism)
{
    return Containment::query(mechanism).mechanism() == mechanism;
}

QByteArray whyImpossible(Mechanism mechanism)
{
    return mechanismName(mechanism)
            + " is not to be had here: " + Containment::query(mechanism).reason().toLocal8Bit();
}

QByteArray CleanTest::token()
{
    static const QByteArray entry = "PK_TEST_TOKEN=" + QByteArray::number(getpid()) + '-'
            + QUuid::createUuid().toByteArray(QUuid::Id128);
    return entry;
}

QProcessEnvironment CleanTest::emptyEnvironment()
{
    QProcessEnvironment environment;
    const QByteArray entry = token();
    const auto equals = entry.indexOf('=');
    environment.insert(QString::fromLatin1(entry.left(equals)),
                       QString::fromLatin1(entry.mid(equals + 1)));
    environment.insert(QStringLiteral("PK_REPORT"), qEnvironmentVariable("PK_REPORT"));
    return environment;
}

void CleanTest::initTestCase()
{
    QVERIFY(m_directory.isValid());
    QVERIFY2(QFileInfo(helper()).isExecutable(), qPrintable(helper()));
    const QByteArray entry = token();
    const auto equals = entry.indexOf('=');
    qputenv(entry.left(equals).constData(), entry.mid(equals + 1));
    warmUp();
}

// The reactor, the keeper and what else lives as long as the application come into being at the
// first start.
void CleanTest::warmUp()
{
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        if (!isPossible(mechanism))
            continue;
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.start(helper(), { QStringLiteral("exit") });
        QVERIFY2(process.waitForFinished(Patience), qPrintable(process.failure().diagnostic()));
        QVERIFY(process.waitForTreeEmptied(Patience));
    }
}

void CleanTest::init()
{
    m_orphans = false;
    if (Containment::keeperProcessId() == 0)
        warmUp(); // the case before this one has killed it
    m_reports.reset();
    m_reports = std::make_unique<ReportChannel>(m_directory.path());
    m_descriptors = openDescriptors(getpid());
    takeKeptDescriptors(&*m_descriptors);
    m_keeper = Containment::keeperProcessId();
    m_keeperDescriptors = openDescriptors(m_keeper).size();
}

void CleanTest::forgetDescriptors()
{
    m_descriptors.reset();
    m_keeper = 0;
}

void CleanTest::cleanup()
{
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    QCoreApplication::processEvents();

    const QString alive = survivors();
    m_reports->close();
    if (m_orphans && getpid() == 1)
        reapAdopted();
    // What is tidied up off this thread has no event that a test could wait for.
    const auto settled = [](auto check) {
        QString left;
        (void)QTest::qWaitFor([&] { return (left = check()).isEmpty(); }, Patience / 2);
        return left;
    };
    const QString dead = settled([this] { return zombies(); });
    const QString kept = settled([this] { return keeperChildren(); });
    const QString cgroups = settled([this] { return cgroupsLeft(); });
    const QString descriptors = settled([this] { return descriptorsLeft(); });

    QVERIFY2(alive.isEmpty(), qPrintable(QStringLiteral("left alive: ") + alive));
    QVERIFY2(dead.isEmpty(), qPrintable(QStringLiteral("zombies: ") + dead));
    QVERIFY2(kept.isEmpty(), qPrintable(QStringLiteral("children of the keeper: ") + kept));
    QVERIFY2(cgroups.isEmpty(), qPrintable(QStringLiteral("cgroups: ") + cgroups));
    QVERIFY2(descriptors.isEmpty(), qPrintable(QStringLiteral("descriptors: ") + descriptors));
}

static QString describe(const ProcStat &stat)
{
    return QStringLiteral("%1 (%2, %3, parent %4) %5; ")
            .arg(stat.pid)
            .arg(QString::fromLocal8Bit(stat.name), QString(QLatin1Char(stat.state)))
            .arg(stat.parent)
            .arg(QString::fromLocal8Bit(commandLine(stat.pid)));
}

// Those alive that were started by this test, directly or not.
static QList<ProcStat> ownProcesses()
{
    const qint64 self = getpid();
    const qint64 keeper = Containment::keeperProcessId();
    QList<ProcStat> found;
    for (const ProcStat &stat : allProcesses()) {
        if (!stat.isAlive() || stat.pid == self || stat.pid == keeper)
            continue;
        if (stat.parent == keeper && stat.name.startsWith("processkit"))
            continue; // a group keeper: the keeper's children are looked at apart
        if (stat.parent == self || hasEnvironmentEntry(stat.pid, CleanTest::token()))
            found.append(stat);
    }
    return found;
}

// Waits for every process of the test to end; those that do not are named, and ended.
QString CleanTest::survivors()
{
    const QDeadlineTimer deadline(Patience / 2);
    QString left;
    // twice without a find: one that forks while /proc is being read can be missed once
    for (int quiet = 0; quiet < 2;) {
        const QList<ProcStat> found = ownProcesses();
        quiet = found.isEmpty() ? quiet + 1 : 0;
        for (const ProcStat &stat : found) {
            PidHandle process(stat.pid, stat.startTime);
            if (process.waitGone(deadline) && !deadline.hasExpired())
                continue;
            left += describe(stat);
            process.end();
        }
        if (left.size() > 4000) // a loop that nothing stops
            break;
    }
    return left;
}

QString CleanTest::zombies() const
{
    QString left;
    for (const ProcStat &stat : childrenOf(getpid())) {
        if (stat.pid != Containment::keeperProcessId())
            left += describe(stat);
    }
    return left;
}

QString CleanTest::keeperChildren() const
{
    QString left;
    const qint64 keeper = Containment::keeperProcessId();
    if (keeper > 0) {
        for (const ProcStat &stat : childrenOf(keeper))
            left += describe(stat);
    }
    return left;
}

QString CleanTest::cgroupsLeft() const
{
    QString left;
    const auto self = procStat(getpid());
    if (!self)
        return QStringLiteral("/proc cannot be read");
    const QStringList roots = applicationCgroups(self->pid, self->startTime);
    QStringList all;
    for (const QString &root : roots)
        all += cgroupsBelow(root);
    for (const QString &cgroup : all) {
        if (isPopulated(cgroup))
            left += cgroup + QStringLiteral(" is populated; ");
    }
    if (all.size() > CgroupPool)
        left += QStringLiteral("%1 directories").arg(all.size());
    return left;
}

QString CleanTest::descriptorsLeft() const
{
    if (!m_descriptors)
        return {};
    QString left;
    QMap<int, QString> now = openDescriptors(getpid());
    const int kept = takeKeptDescriptors(&now);
    if (kept > MostKeptDescriptors)
        left += QStringLiteral("%1 of cgroups; ").arg(kept);
    // fewer is fine: at the first look something of the warm-up may still have been open
    if (now.size() > m_descriptors->size()) {
        left += QStringLiteral("%1 became %2: ").arg(m_descriptors->size()).arg(now.size());
        for (auto it = now.begin(); it != now.end(); ++it) {
            if (m_descriptors->value(it.key()) != it.value())
                left += QStringLiteral("+%1 %2; ").arg(it.key()).arg(it.value());
        }
        for (auto it = m_descriptors->begin(); it != m_descriptors->end(); ++it) {
            if (now.value(it.key()) != it.value())
                left += QStringLiteral("-%1 %2; ").arg(it.key()).arg(it.value());
        }
    }
    const qint64 keeper = Containment::keeperProcessId();
    const auto held = openDescriptors(keeper);
    if (keeper > 0 && keeper == m_keeper && held.size() > m_keeperDescriptors) {
        left += QStringLiteral("of the keeper, %1 became: ").arg(m_keeperDescriptors);
        for (auto it = held.begin(); it != held.end(); ++it)
            left += QStringLiteral("%1 %2; ").arg(it.key()).arg(it.value());
    }
    return left;
}

} // namespace PkTest
