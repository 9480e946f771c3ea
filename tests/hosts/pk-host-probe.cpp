// SPDX-License-Identifier: MIT

// pk-host-probe
//
// What this host lets each mechanism do, found by doing it. One line per observation, with tabs:
//   mechanism, what was tried, "yes", "no" or a figure, and what else is to be said
// "host" in place of a mechanism is about the host itself.

#include "cgroups.h"
#include "cleantest.h"
#include "ownerprocess.h"
#include "procfs.h"
#include "shapes.h"

#include <ProcessKit/command.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qfile.h>
#include <QtCore/qprocess.h>
#include <QtCore/qsysinfo.h>
#include <QtCore/qtemporarydir.h>

#include <cstdio>
#include <optional>

#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

namespace {

const char Shape[] = "zoo"; // grandchildren, daemons, new sessions, stopped ones, a fork loop, ...
constexpr char Token[] = "PK_PROBE_TOKEN";
constexpr qint64 MiB = 1024 * 1024;

void tell(const QByteArray &subject, const QByteArray &tried, const QByteArray &result,
          const QString &remark = {})
{
    const QByteArray text = remark.simplified().toLocal8Bit();
    std::printf("%s\t%s\t%s\t%s\n", subject.constData(), tried.constData(), result.constData(),
                text.constData());
    std::fflush(stdout);
}

QByteArray yesOrNo(bool yes)
{
    return yes ? "yes" : "no";
}

// One attempt: what is started meanwhile can be told from everything else, and is gone afterwards.
class Attempt
{
public:
    Attempt() : m_reports(m_directory.path())
    {
        static int number = 0;
        m_entry = QByteArray::number(getpid()) + '-' + QByteArray::number(++number);
        qputenv(Token, m_entry);
    }
    ~Attempt()
    {
        m_reports.close(); // ends those that fork for ever
        for (QList<ProcStat> left = alive(); !left.isEmpty(); left = alive()) {
            for (const ProcStat &stat : left)
                PidHandle(stat.pid, stat.startTime).end();
        }
    }

    bool waitForTree() { return m_reports.waitFor(shapeNamed(Shape).reports, 3 * Patience); }
    ReportChannel &reports() { return m_reports; }

    QList<ProcStat> alive() const
    {
        QList<ProcStat> found;
        for (const ProcStat &stat : allProcesses()) {
            if (stat.isAlive() && stat.name == "pk-helper"
                && hasEnvironmentEntry(stat.pid, QByteArray(Token) + '=' + m_entry))
                found.append(stat);
        }
        return found;
    }

    qsizetype survivors() const
    {
        const auto none = [this] { return alive().isEmpty(); };
        (void)QTest::qWaitFor(none, Patience / 2);
        return alive().size(); // one that forks may be missed once
    }

private:
    QTemporaryDir m_directory;
    QByteArray m_entry;
    ReportChannel m_reports;
};

QStringList treeArguments()
{
    return { QStringLiteral("tree"), QString::fromLatin1(Shape) };
}

QByteArray figure(qsizetype survivors, qsizetype of)
{
    return QByteArray::number(survivors) + " of " + QByteArray::number(of);
}

bool probeStart(Mechanism mechanism)
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    ProcessGroup group(mechanism);
    ContainedProcess *process = group.start(helper(), { QStringLiteral("pause") });
    const bool started = process->waitForStarted(Patience) && group.mechanism() == mechanism;
    tell(name, "start", yesOrNo(started), process->failure().diagnostic());
    return started;
}

// how many are left of a tree that \a act ends, or is to end
template<typename Act>
void probeEnd(Mechanism mechanism, const char *tried, const ResourceLimits &limits, Act act)
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    auto group = std::make_unique<ProcessGroup>(mechanism);
    group->updateLimits(limits);
    ContainedProcess *process = group->start(helper(), treeArguments());
    if (!process->waitForStarted(Patience))
        return tell(name, tried, "no", process->failure().diagnostic());
    if (!attempt.waitForTree())
        return tell(name, tried, "no", QStringLiteral("the tree did not come up"));
    const qsizetype all = attempt.alive().size();
    act(group);
    tell(name, tried, figure(attempt.survivors(), all));
}

void probeOwnerKilled(Mechanism mechanism, const char *tried, const QByteArray &option,
                      const QByteArray &value = {})
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    OwnerProcess owner(mechanism, "pause");
    owner.addOption(option, value);
    owner.start({ "tree", Shape });
    const auto isSettled = [&] {
        return attempt.reports().count("started") + attempt.reports().count("failed") > 0;
    };
    (void)QTest::qWaitFor(isSettled, 3 * Patience);
    if (!attempt.reports().count("started") || !attempt.waitForTree())
        return tell(name, tried, "no", QStringLiteral("the tree did not come up"));
    const qsizetype all = attempt.alive().size();
    owner.kill();
    tell(name, tried, figure(attempt.survivors(), all));
}

void probeEnds(Mechanism mechanism)
{
    probeEnd(mechanism, "kill", {}, [](auto &group) { group->kill(); });
    probeEnd(mechanism, "destroy", {}, [](auto &group) { group.reset(); });

    probeOwnerKilled(mechanism, "owner killed", "--group");
}

bool isFrozen(Mechanism mechanism, const ProcStat &member)
{
    if (mechanism != Mechanism::CgroupV2)
        return member.state == 'T';
    QFile events(cgroupOf(member.pid) + QStringLiteral("/cgroup.events"));
    return events.open(QIODevice::ReadOnly | QIODevice::Unbuffered)
            && events.readAll().contains("frozen 1");
}

void probeSuspending(Mechanism mechanism)
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    ProcessGroup group(mechanism);
    group.start(helper(), { QStringLiteral("tree"), QStringLiteral("daemon") });
    if (!attempt.reports().waitFor({ "daemon", "main" }))
        return tell(name, "suspend", "no", QStringLiteral("the tree did not come up"));
    const auto countFrozen = [&] {
        const QList<ProcStat> members = attempt.alive();
        const auto frozen = std::count_if(members.begin(), members.end(), [&](const auto &member) {
            return isFrozen(mechanism, member);
        });
        return std::pair<qsizetype, qsizetype>(frozen, members.size());
    };
    const ProcessError error = group.suspend();
    (void)QTest::qWaitFor([&] { return countFrozen().first == countFrozen().second; }, 2000);
    const auto [frozen, all] = countFrozen();
    tell(name, "suspend", figure(frozen, all), error.diagnostic());
    const ProcessError resumed = group.resume();
    const bool runs = QTest::qWaitFor([&] { return countFrozen().first == 0; }, 2000);
    tell(name, "resume", yesOrNo(runs), resumed.diagnostic());
}

void probeMembers(Mechanism mechanism)
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    ProcessGroup group(mechanism);
    group.setTracksMembers(true);
    int appeared = 0;
    QObject::connect(&group, &ProcessGroup::memberAppeared, [&] { ++appeared; });
    group.start(helper(), { QStringLiteral("tree"), QStringLiteral("grandchild") });
    const bool isThere = attempt.reports().waitFor({ "grandchild", "main" });
    (void)QTest::qWaitFor([&] { return appeared >= 2; }, 2000);
    tell(name, "told of forks at once", yesOrNo(isThere && appeared >= 2 && group.hearsOfForks()));

    QProcess outsider; // somebody else's child, as far as the library can tell
    outsider.start(helper(), { QStringLiteral("pause") });
    if (!outsider.waitForStarted(Patience))
        return;
    const Expected<AdoptionReport> report = group.adopt(outsider.processId());
    group.kill();
    const bool hasEnded = report && outsider.waitForFinished(Patience);
    tell(name, "adopts", yesOrNo(hasEnded), report.error().diagnostic());
    outsider.kill();
    outsider.waitForFinished(Patience);
}

void probeStatistics(Mechanism mechanism, const QByteArray &prefix, const ResourceLimits &limits)
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    ProcessGroup group(mechanism);
    group.updateLimits(limits);
    ContainedProcess *process =
            group.start(Command(helper(), { QStringLiteral("hog"), QStringLiteral("8") })
                                .withInput(StdinSource::keptOpen()));
    if (!process->waitForStarted(Patience) || !attempt.reports().waitFor({ "hog" }))
        return tell(name, prefix + "statistics", "no", process->failure().diagnostic());
    const GroupStats stats = group.statistics();
    const auto has = [&](const char *figure, bool there) {
        tell(name, prefix + figure, yesOrNo(there));
    };
    has("CPU time", stats.cpuTime().has_value());
    has("memory", stats.memoryBytes.has_value());
    has("peak memory", stats.peakMemoryBytes.has_value());
    has("processes", stats.processes.has_value());
    has("peak processes", stats.peakProcesses.has_value());
    has("I/O", stats.bytesRead && stats.bytesWritten);
}

QString sourceName(ControllerSource source)
{
    return QString::fromLatin1(QMetaEnum::fromType<ControllerSource>().valueToKey(int(source)));
}

// Somebody who wants more than the limit allows: "yes" if that was noticed, counted and prevented.
void probeLimit(Mechanism mechanism, const char *tried, ResourceLimits::Limit limit,
                const ResourceLimits &limits, const QString &role)
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    ProcessGroup group(mechanism);
    if (const ProcessError error = group.updateLimits(limits))
        return tell(name, tried, "no", error.diagnostic());
    ContainedProcess *process =
            group.start(Command(helper(), { role }).withInput(StdinSource::keptOpen()));
    if (!process->waitForStarted(Patience))
        return tell(name, tried, "no", process->failure().diagnostic());
    const bool reached =
            QTest::qWaitFor([&] { return group.limitEvidence().isReached(limit); }, 2 * Patience);
    tell(name, tried, yesOrNo(reached), sourceName(group.controllerSource()));
}

void probeLimits(Mechanism mechanism)
{
    ResourceLimits memory;
    memory.memoryMax = 48 * MiB;
    memory.memorySwapMax = 0;
    probeLimit(mechanism, "limit: memory", ResourceLimits::Limit::MemoryMax, memory,
               QStringLiteral("hog"));
    ResourceLimits tasks;
    tasks.tasksMax = 20;
    probeLimit(mechanism, "limit: processes", ResourceLimits::Limit::TasksMax, tasks,
               QStringLiteral("forkbomb"));
    ResourceLimits cpu;
    cpu.cpuQuota = 0.2;
    probeLimit(mechanism, "limit: CPU", ResourceLimits::Limit::CpuQuota, cpu,
               QStringLiteral("busy"));

    // what a group has that has got controllers, perhaps in a scope that systemd made
    ResourceLimits wide;
    wide.memoryMax = 512 * MiB;
    wide.tasksMax = 1000;
    probeEnd(mechanism, "with limits: kill", wide, [](auto &group) { group->kill(); });
    probeEnd(mechanism, "with limits: destroy", wide, [](auto &group) { group.reset(); });
    probeOwnerKilled(mechanism, "with limits: owner killed", "--tasks", "1000");
    probeStatistics(mechanism, "with limits: ", wide);
}

void probeHost()
{
    tell("host", "kernel", QSysInfo::kernelVersion().toLocal8Bit());
    tell("host", "user", QByteArray::number(getuid()));
    tell("host", "pid 1", yesOrNo(getpid() == 1));
    tell("host", "cgroup", cgroupOf(getpid()).toLocal8Bit());
    QFile controllers(cgroupOf(getpid()) + QStringLiteral("/cgroup.controllers"));
    QByteArray available;
    if (controllers.open(QIODevice::ReadOnly | QIODevice::Unbuffered))
        available = controllers.readAll().trimmed();
    tell("host", "controllers", available);
    const Containment best = Containment::query();
    tell("host", "mechanism without a wish", mechanismName(best.mechanism()), best.reason());
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    probeHost();
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        if (probeStart(mechanism)) {
            probeEnds(mechanism);
            probeSuspending(mechanism);
            probeMembers(mechanism);
            probeStatistics(mechanism, {}, {});
        }
        if (mechanism == Mechanism::CgroupV2)
            probeLimits(mechanism); // also where only a scope of systemd's is to be had
    }
    return 0;
}
