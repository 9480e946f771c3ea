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

#include <ProcessKit/processgroup.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qfile.h>
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

void tell(const QByteArray &subject, const char *tried, const QByteArray &result,
          const QString &remark = {})
{
    const QByteArray text = remark.simplified().toLocal8Bit();
    std::printf("%s\t%s\t%s\t%s\n", subject.constData(), tried, result.constData(),
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

void probeEnds(Mechanism mechanism)
{
    const QByteArray name = mechanismName(mechanism);
    const auto end = [&](const char *tried, auto act) {
        Attempt attempt;
        auto group = std::make_unique<ProcessGroup>(mechanism);
        group->start(helper(), treeArguments());
        if (!attempt.waitForTree())
            return tell(name, tried, "no", QStringLiteral("the tree did not come up"));
        const qsizetype all = attempt.alive().size();
        act(group);
        tell(name, tried, figure(attempt.survivors(), all));
    };
    end("kill", [](auto &group) { group->kill(); });
    end("destroy", [](auto &group) { group.reset(); });

    Attempt attempt;
    OwnerProcess owner(mechanism, "pause");
    owner.addOption("--group");
    owner.start({ "tree", Shape });
    if (!attempt.waitForTree() || !attempt.reports().waitFor({ "started" }))
        return tell(name, "owner killed", "no", QStringLiteral("the tree did not come up"));
    const qsizetype all = attempt.alive().size();
    owner.kill();
    tell(name, "owner killed", figure(attempt.survivors(), all));
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

void probeStatistics(Mechanism mechanism)
{
    const QByteArray name = mechanismName(mechanism);
    Attempt attempt;
    ProcessGroup group(mechanism);
    group.start(helper(), { QStringLiteral("hog"), QStringLiteral("8") });
    if (!attempt.reports().waitFor({ "hog" }))
        return tell(name, "statistics", "no", QStringLiteral("it did not start"));
    const GroupStats stats = group.statistics();
    tell(name, "statistics: CPU time", yesOrNo(stats.cpuTime().has_value()));
    tell(name, "statistics: memory", yesOrNo(stats.memoryBytes.has_value()));
    tell(name, "statistics: peak memory", yesOrNo(stats.peakMemoryBytes.has_value()));
    tell(name, "statistics: processes", yesOrNo(stats.processes.has_value()));
    tell(name, "statistics: peak processes", yesOrNo(stats.peakProcesses.has_value()));
    tell(name, "statistics: I/O", yesOrNo(stats.bytesRead && stats.bytesWritten));
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
}

void probeHost()
{
    tell("host", "kernel", QSysInfo::kernelVersion().toLocal8Bit());
    tell("host", "user", QByteArray::number(getuid()));
    tell("host", "pid 1", yesOrNo(getpid() == 1));
    QFile controllers(cgroupOf(getpid()) + QStringLiteral("/cgroup.controllers"));
    QByteArray available = "-";
    if (controllers.open(QIODevice::ReadOnly | QIODevice::Unbuffered))
        available = controllers.readAll().trimmed();
    tell("host", "cgroup", cgroupOf(getpid()).toLocal8Bit(), QString::fromLatin1(available));
    const Containment best = Containment::query();
    tell("host", "best", mechanismName(best.mechanism()), best.reason());
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    probeHost();
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        if (!probeStart(mechanism))
            continue;
        probeEnds(mechanism);
        probeSuspending(mechanism);
        probeStatistics(mechanism);
        probeLimits(mechanism);
    }
    return 0;
}
