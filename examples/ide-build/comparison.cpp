// SPDX-License-Identifier: MIT
#include "comparison.h"

#include "build.h"

#include <QCoreApplication>
#include <QLoggingCategory>
#include <QMetaEnum>

#include <cstdio>
#include <optional>

using namespace ProcessKit;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int StopAtPercent = 10;
constexpr int TimeoutMs = 60'000;
constexpr auto SettleTime = 2s;
constexpr char VictimIsReady[] = "in the middle\n";

enum class Scenario { Kill, Destruction, DeathOfProgram };

// A column of the table: what holds the build.
struct Holder
{
    Mechanism mechanism = Mechanism::None; // None: QProcess

    bool isQProcess() const { return mechanism == Mechanism::None; }
    QString name() const
    {
        return isQProcess()
                ? u"QProcess"_s
                : QString::fromLatin1(QMetaEnum::fromType<Mechanism>().valueToKey(int(mechanism)));
    }
    // ProcessGroup cannot hold what makes a session of its own, and says so.
    bool promisesNoSurvivors() const
    {
        return mechanism == Mechanism::CgroupV2 || mechanism == Mechanism::Subreaper;
    }
    bool isAvailable() const
    {
        return isQProcess() || Containment::query(mechanism).mechanism() == mechanism;
    }
};

constexpr Holder Holders[] = {
    { Mechanism::CgroupV2 },
    { Mechanism::Subreaper },
    { Mechanism::ProcessGroup },
    { Mechanism::None },
};

struct Count
{
    qsizetype survivors = 0;
    qsizetype seen = 0; // at the stop or after it: what lives on may start more

    QString text() const { return u"%1 of %2"_s.arg(survivors).arg(seen); }
};

// Reads until a tenth of the build is done: compilers are at work then.
template<typename Process>
bool waitForMiddle(Process &process)
{
    while (process.canReadLine() || process.waitForReadyRead(TimeoutMs)) {
        while (process.canReadLine()) {
            const auto progress = Progress::fromLine(QString::fromLocal8Bit(process.readLine()));
            if (progress && progress->percent() >= StopAtPercent)
                return true;
        }
    }
    std::fprintf(stderr, "ide-build: the build failed: %s\n", qPrintable(process.errorString()));
    return false;
}

// Events, no guess: waits until the last one has ended, and gives up after the settle time.
Count countSurvivors(const Marker &marker, const QSet<qint64> &before)
{
    marker.waitUntilGone(SettleTime);
    const QSet<qint64> after = marker.processes();
    return { after.size(), (before | after).size() };
}

template<typename Process>
std::optional<Count> stopInTheMiddle(std::unique_ptr<Process> process, Scenario scenario,
                                     const QString &buildDirectory, const Marker &marker)
{
    startCompiling(*process, buildDirectory, marker);
    if (!waitForMiddle(*process))
        return {};
    const QSet<qint64> before = marker.processes();
    if (scenario == Scenario::Kill)
        process->kill();
    else
        process.reset();
    return countSurvivors(marker, before);
}

// This program once more, as the one that dies. It is started by QProcess on purpose: started by
// ContainedProcess, it would be held together with its builds, whatever they were started with.
std::optional<Count> killProgram(const Holder &holder, const QString &buildDirectory,
                                 const Marker &marker)
{
    QProcess victim;
    victim.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    victim.start(QCoreApplication::applicationFilePath(),
                 { u"--scenario"_s, holder.name(), buildDirectory, marker.value() });
    if (!victim.waitForReadyRead(TimeoutMs) || victim.readLine() != VictimIsReady)
        return {};
    const QSet<qint64> before = marker.processes();
    victim.kill(); // SIGKILL: it has no chance to clean up
    victim.waitForFinished();
    return countSurvivors(marker, before);
}

std::unique_ptr<ContainedProcess> makeContained(Mechanism mechanism)
{
    auto process = std::make_unique<ContainedProcess>();
    process->setRequestedMechanism(mechanism);
    return process;
}

std::optional<Count> run(Scenario scenario, const Holder &holder, const QString &buildDirectory)
{
    QProcess cleaner; // each build starts from nothing
    cleaner.start(u"ninja"_s, { u"-C"_s, buildDirectory, u"-t"_s, u"clean"_s });
    cleaner.waitForFinished();

    const Marker marker;
    std::optional<Count> count;
    if (scenario == Scenario::DeathOfProgram) {
        count = killProgram(holder, buildDirectory, marker);
    } else if (holder.isQProcess()) {
        count = stopInTheMiddle(std::make_unique<QProcess>(), scenario, buildDirectory, marker);
    } else {
        count = stopInTheMiddle(makeContained(holder.mechanism), scenario, buildDirectory, marker);
    }
    marker.killAll();
    return count;
}

void printCell(const QString &text)
{
    std::printf("%-14s", qPrintable(text));
    std::fflush(stdout);
}

void printHeader()
{
    std::printf("%-14s%-42s%s\n%-14s", "", "ContainedProcess", "QProcess", "");
    for (const Holder &holder : Holders) {
        if (!holder.isQProcess())
            printCell(holder.name());
    }
    std::printf("\n");
}

template<typename Process>
int beVictim(Process &process, const QString &buildDirectory, const Marker &marker)
{
    startCompiling(process, buildDirectory, marker);
    if (!waitForMiddle(process))
        return 1;
    std::fputs(VictimIsReady, stdout);
    std::fflush(stdout);
    process.waitForFinished(-1);
    return 1;
}

} // namespace

bool compareWithQProcess(const QString &buildDirectory)
{
    constexpr std::pair<Scenario, const char *> rows[] = {
        { Scenario::Kill, "kill()" },
        { Scenario::Destruction, "destruction" },
        { Scenario::DeathOfProgram, "SIGKILL of us" },
    };

    // QProcess warns when it is destroyed with its process running, which is what we do here.
    QLoggingCategory::setFilterRules(u"default.warning=false"_s);
    bool promiseKept = true;
    printHeader();
    for (const auto &[scenario, title] : rows) {
        printCell(QLatin1StringView(title));
        for (const Holder &holder : Holders) {
            if (!holder.isAvailable()) {
                printCell(u"n/a"_s);
                continue;
            }
            const std::optional<Count> count = run(scenario, holder, buildDirectory);
            printCell(count ? count->text() : u"failed"_s);
            if (holder.promisesNoSurvivors() && (!count || count->survivors > 0))
                promiseKept = false;
        }
        std::printf("\n");
    }

    for (const Holder &holder : Holders) {
        if (!holder.isAvailable()) {
            std::printf("n/a: %s: %s\n", qPrintable(holder.name()),
                        qPrintable(Containment::query(holder.mechanism).reason()));
        }
    }
    return promiseKept;
}

int runVictim(const QString &holder, const QString &buildDirectory, const QString &marker)
{
    if (holder == Holder().name()) {
        QProcess process;
        return beVictim(process, buildDirectory, Marker(marker));
    }
    bool known = false;
    const int mechanism =
            QMetaEnum::fromType<Mechanism>().keyToValue(holder.toLatin1().constData(), &known);
    if (!known)
        return 1;
    return beVictim(*makeContained(Mechanism(mechanism)), buildDirectory, Marker(marker));
}
