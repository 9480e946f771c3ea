// SPDX-License-Identifier: MIT

// pk-owner [OPTION...] -- PROGRAM [ARGUMENT...]
//
// An application that uses the library, starts PROGRAM contained, and ends in one of many ways.
//   --mechanism NAME   CgroupV2, Subreaper or ProcessGroup instead of the default
//   --group            start it in a ProcessGroup object
//   --tasks N          start it in one that may have so many tasks
//   --count N          start it N times
//   --close DIGITS     without these standard descriptors
//   --nofile N         with that limit of open descriptors
//   --optional         accept a host without a keeper
//   --flags N          with these ContainedProcess::UnixProcessFlags
//   --real-ids N       with that real user and group, and the effective ones from before
//   --terminal         in a session of its own, with a terminal; 77: there is none to be had
//   --thread           start it on a thread that ends at once
//   --then HOW         what follows: "finish" waits until PROGRAM has ended and prints
//                      "result ..." ("once" does so and tries again after pk-faults is disarmed);
//                      "return", "exit", "_exit", "abort", "terminate", "segv", "kill", "delete"
//                      happen when a line of input has come; "pause" never ends, and at each
//                      line of input it executes "PROGRAM exit"
// What it is and does is also reported to PK_REPORT: "owner", "keeper", "started", "again",
// "result".

#include "report.h"

#include <ProcessKit/containedprocess.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qmetaobject.h>
#include <QtCore/qthread.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ProcessKit;

namespace {

struct Options
{
    Mechanism mechanism = Mechanism::None;
    bool group = false;
    std::optional<int> tasks;
    bool thread = false;
    int count = 1;
    ContainedProcess::UnixProcessFlags flags;
    QByteArray then = "finish";
    QString program;
    QStringList arguments;
};

// what pk-faults does to us begins and ends here
void armFaults(bool armed)
{
    syscall(SYS_kcmp, armed ? 1 : 2, 0, 0, 0, 0);
}

QByteArray enumName(int value, const QMetaEnum &type)
{
    const char *key = type.valueToKey(value);
    return key ? key : "?";
}

QByteArray outcome(const ContainedProcess &process, bool finished)
{
    const ProcessError failure = process.failure();
    if (failure) {
        return "error kind="
                + enumName(int(failure.kind()), QMetaEnum::fromType<ProcessError::Kind>())
                + " operation=" + failure.operation().toUtf8()
                + " code=" + QByteArray::number(failure.nativeCode());
    }
    if (!finished)
        return "unknown: neither finished nor failed";
    return "ok exit=" + QByteArray::number(process.exitCode()) + " status="
            + enumName(process.exitStatus(), QMetaEnum::fromType<QProcess::ExitStatus>())
            + " mechanism=" + enumName(int(process.mechanism()), QMetaEnum::fromType<Mechanism>());
}

void printResult(const QByteArray &text)
{
    reportToTest("result", getpid(), text);
    std::printf("result %s\n", text.constData());
    std::fflush(stdout);
}

class Owner
{
public:
    explicit Owner(const Options &options) : m_options(options)
    {
        if (options.group)
            m_group = std::make_unique<ProcessGroup>(options.mechanism);
        if (options.tasks) {
            ResourceLimits limits;
            limits.tasksMax = options.tasks;
            m_group->updateLimits(limits);
        }
    }

    ContainedProcess *start()
    {
        if (m_group)
            return m_group->start(m_options.program, m_options.arguments);
        auto process = std::make_unique<ContainedProcess>();
        if (m_options.mechanism != Mechanism::None)
            process->setRequestedMechanism(m_options.mechanism);
        process->setUnixProcessParameters(m_options.flags);
        process->start(m_options.program, m_options.arguments);
        return m_processes.emplace_back(std::move(process)).get();
    }

    // once: a start that may fail, and one that must not any more
    int runTwice()
    {
        armFaults(true);
        ContainedProcess *first = start();
        const bool started = first->waitForStarted();
        armFaults(false);
        const bool finished = started && first->waitForFinished();
        printResult("first " + outcome(*first, finished));
        ContainedProcess *second = start();
        const bool again = second->waitForFinished();
        printResult("second " + outcome(*second, again));
        const bool emptied = second->waitForTreeEmptied() && first->waitForTreeEmptied();
        return emptied ? 0 : 1;
    }

    int finish()
    {
        for (int i = 0; i < m_options.count; ++i) {
            ContainedProcess *process = start();
            const bool finished = process->waitForFinished();
            printResult(outcome(*process, finished) + " output="
                        + process->readAllStandardOutput().trimmed().replace('\n', '|'));
        }
        return 0;
    }

    bool startAll()
    {
        bool started = true;
        const auto startThem = [&] {
            for (int i = 0; i < m_options.count; ++i)
                started = start()->waitForStarted() && started;
        };
        if (m_options.thread) {
            const std::unique_ptr<QThread> thread(QThread::create(startThem));
            thread->start();
            thread->wait();
        } else {
            startThem();
        }
        return started;
    }

    void removeAll()
    {
        m_processes.clear();
        m_group.reset();
    }

private:
    const Options m_options;
    std::vector<std::unique_ptr<ContainedProcess>> m_processes;
    std::unique_ptr<ProcessGroup> m_group;
};

Owner *neverDestroyed = nullptr; // reachable, for the leak checker, but never deleted

void die(const QByteArray &how)
{
    const rlimit none{ 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    if (how == "exit")
        std::exit(0);
    if (how == "_exit")
        _exit(0);
    if (how == "abort") {
        signal(SIGABRT, SIG_DFL);
        std::abort();
    }
    if (how == "terminate")
        std::terminate();
    if (how == "segv") {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    if (how == "kill")
        raise(SIGKILL);
}

// for as long as we live
bool openTerminal()
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    return master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && setsid() >= 0
            && open(ptsname(master), O_RDWR | O_CLOEXEC) >= 0;
}

bool parse(const QStringList &arguments, Options *options)
{
    for (qsizetype i = 1; i < arguments.size(); ++i) {
        const QString &option = arguments[i];
        const QString value = arguments.value(i + 1);
        if (option == QLatin1String("--")) {
            options->program = value;
            options->arguments = arguments.mid(i + 2);
            return !value.isEmpty();
        }
        if (option == QLatin1String("--group")) {
            options->group = true;
        } else if (option == QLatin1String("--tasks")) {
            options->group = true;
            options->tasks = value.toInt();
            ++i;
        } else if (option == QLatin1String("--thread")) {
            options->thread = true;
        } else if (option == QLatin1String("--optional")) {
            Containment::setKeeperPolicy(Containment::KeeperPolicy::Optional);
        } else if (option == QLatin1String("--terminal")) {
            if (!openTerminal())
                std::exit(77);
        } else if (option == QLatin1String("--flags")) {
            options->flags = ContainedProcess::UnixProcessFlags::fromInt(value.toUInt());
            ++i;
        } else if (option == QLatin1String("--real-ids")) {
            const uid_t id = value.toUInt();
            if (setresgid(id, getegid(), getegid()) != 0
                || setresuid(id, geteuid(), geteuid()) != 0)
                return false;
            ++i;
        } else if (option == QLatin1String("--mechanism")) {
            options->mechanism =
                    Mechanism(QMetaEnum::fromType<Mechanism>().keyToValue(qPrintable(value)));
            ++i;
        } else if (option == QLatin1String("--count")) {
            options->count = value.toInt();
            ++i;
        } else if (option == QLatin1String("--then")) {
            options->then = value.toLatin1();
            ++i;
        } else if (option == QLatin1String("--close")) {
            for (QChar digit : value)
                close(digit.digitValue());
            ++i;
        } else if (option == QLatin1String("--nofile")) {
            rlimit limit{};
            getrlimit(RLIMIT_NOFILE, &limit);
            limit.rlim_cur = rlim_t(value.toInt());
            setrlimit(RLIMIT_NOFILE, &limit);
            ++i;
        } else {
            return false;
        }
    }
    return false;
}

} // namespace

int main(int argc, char **argv)
{
    alarm(300); // left over by a failed test, it ends by itself
    QCoreApplication application(argc, argv);
    Options options;
    if (!parse(QCoreApplication::arguments(), &options)) {
        std::fprintf(stderr, "pk-owner: wrong arguments\n");
        return 64;
    }
    reportToTest("owner", getpid(), {});
    if (options.then == "finish" || options.then == "once") {
        Owner owner(options);
        return options.then == "once" ? owner.runTwice() : owner.finish();
    }

    Owner *owner = neverDestroyed = new Owner(options);
    const bool started = owner->startAll();
    const qint64 keeper = Containment::keeperProcessId();
    if (keeper > 0)
        reportToTest("keeper", pid_t(keeper), {});
    reportToTest(started ? "started" : "failed", getpid(), {});
    char line[16];
    if (options.then == "pause") {
        while (std::fgets(line, sizeof line, stdin)) {
            // one more start, which brings a keeper if there is none, and passes what it is told
            ContainedProcess::execute(options.program, { QStringLiteral("exit") });
            reportToTest("again", getpid(), {});
        }
        for (;;)
            pause();
    }
    if (!std::fgets(line, sizeof line, stdin))
        return 65;
    if (options.then == "delete") {
        owner->removeAll();
        reportToTest("deleted", getpid(), {});
        return std::fgets(line, sizeof line, stdin) ? 0 : 65;
    }
    if (options.then == "return") {
        delete owner;
        neverDestroyed = nullptr;
        return 0;
    }
    die(options.then);
    return 66;
}
