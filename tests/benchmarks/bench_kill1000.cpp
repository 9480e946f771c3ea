// SPDX-License-Identifier: MIT
#include "barecgroup.h"
#include "barespawn.h"
#include "benchmark.h"
#include "threadstat.h"

#include "subjects.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

const QString bare = QStringLiteral("bare cgroup.kill+poll");

template<typename Process>
QByteArray startTree(Process &process, int size)
{
    process.start(helper("pk-tree"), { QString::number(size) });
    while (!process.canReadLine()) {
        if (!process.waitForReadyRead())
            throw Failure(QStringLiteral("the tree did not come up: ") + process.errorString());
    }
    return process.readLine();
}

template<typename Subject>
QList<double> measureContained(int size)
{
    ProcessKit::ContainedProcess process;
    Subject::prepare(process);
    startTree(process, size);

    QEventLoop loop;
    QObject::connect(&process, &ProcessKit::ContainedProcess::treeEmptied, &loop,
                     &QEventLoop::quit);
    const Stopwatch stopwatch;
    process.kill();
    runLoop(loop);
    return { stopwatch.seconds() * 1e3 };
}

QList<double> measureBare(int size)
{
    const BareCgroup cgroup("kill");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        throw Failure(QStringLiteral("pipe2: %1").arg(QString::fromLocal8Bit(strerror(errno))));
    BareChild child =
            bareStart(helper("pk-tree"), QString::number(size), cgroup.directory(), ends[1]);
    close(ends[1]);
    char text[4096];
    ssize_t count;
    do
        count = read(ends[0], text, sizeof text);
    while (count > 0 && text[count - 1] != '\n');
    close(ends[0]);
    if (count <= 0)
        throw Failure(QStringLiteral("the tree did not come up"));

    const Stopwatch stopwatch;
    cgroup.kill();
    cgroup.waitUntilEmpty();
    const double seconds = stopwatch.seconds();
    bareReap(child);
    return { seconds * 1e3 };
}

// Not a time but a number: how many are alive after QProcess::kill() and the exit. They are ended
// here, through pidfds taken while they were ours.
QList<double> countSurvivors(int size)
{
    QList<int> pidfds;
    int survivors = 0;
    {
        QProcess process;
        const QList<QByteArray> pids = startTree(process, size).trimmed().split(' ');
        for (const QByteArray &pid : pids) {
            const int pidfd = int(syscall(SYS_pidfd_open, pid.toInt(), 0));
            if (pidfd >= 0)
                pidfds += pidfd;
        }
        process.kill();
        process.waitForFinished();
    }
    for (int pidfd : pidfds) {
        pollfd exit{ pidfd, POLLIN, 0 };
        if (poll(&exit, 1, 0) == 0)
            ++survivors;
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    }
    for (int pidfd : pidfds) {
        pollfd exit{ pidfd, POLLIN, 0 };
        poll(&exit, 1, -1);
        close(pidfd);
    }
    return { double(survivors) };
}

void run(Bench &bench)
{
    // the tree has one more, its root
    const int size = qMin(bench.size(1000, 20), raiseDescriptorLimit() - 100) - 1;
    const QString survivors = QStringLiteral("QProcess::kill(), survivors");

    Comparison comparison;
    comparison.add(InCgroup::name(), [size] { return measureContained<InCgroup>(size); });
    comparison.add(bare, [size] { return measureBare(size); });
    comparison.add(InSubreaper::name(), [size] { return measureContained<InSubreaper>(size); });
    comparison.run(bench.runs);
    Comparison counting;
    counting.add(survivors, [size] { return countSurvivors(size); });
    counting.run(1);

    const QString unit = QStringLiteral("ms");
    bench.add(figure(QStringLiteral("kill1000"), unit, comparison.samples(InCgroup::name()),
                     comparison.samples(bare), Target::ratioAtMost(1.2)));
    bench.add(figure(QStringLiteral("kill1000-subreaper"), unit,
                     comparison.samples(InSubreaper::name()), comparison.samples(bare)));
    bench.add(figure(QStringLiteral("kill1000-qprocess"), QStringLiteral("survivors"),
                     counting.samples(survivors)));
}

const Registration registration("kill1000",
                                "kill of a tree of 1,000 processes until the last one is gone",
                                run);

} // namespace
