// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_SUBJECTS_H
#define PROCESSKIT_BENCH_SUBJECTS_H

#include "measure.h"

#include <ProcessKit/containedprocess.h>
#include <ProcessKit/containment.h>

#include <QtCore/qeventloop.h>
#include <QtCore/qmetaobject.h>
#include <QtCore/qprocess.h>
#include <QtCore/qtimer.h>

// What is compared. The code that measures is a template over these, so that both classes are used
// in exactly the same way.

struct Classic
{
    using Process = QProcess;
    static QString name() { return QStringLiteral("QProcess"); }
    static void prepare(QProcess &) { }
};

template<ProcessKit::Mechanism M>
struct Contained
{
    using Process = ProcessKit::ContainedProcess;
    static QString name()
    {
        const auto mechanisms = QMetaEnum::fromType<ProcessKit::Mechanism>();
        return QLatin1String(mechanisms.valueToKey(int(M)));
    }
    // Throws Unavailable where the host does not give this mechanism.
    static void prepare(ProcessKit::ContainedProcess &process)
    {
        static const ProcessKit::Containment offered = ProcessKit::Containment::query(M);
        if (offered.mechanism() != M)
            throw Unavailable(offered.reason());
        process.setRequestedMechanism(M);
    }
};

using InCgroup = Contained<ProcessKit::Mechanism::CgroupV2>;
using InSubreaper = Contained<ProcessKit::Mechanism::Subreaper>;

// Runs \a loop, but not for ever: a benchmark that hangs says so. Throws Failure.
inline void runLoop(QEventLoop &loop, int seconds = 120)
{
    QTimer guard;
    guard.setSingleShot(true);
    QObject::connect(&guard, &QTimer::timeout, &loop, [&loop] { loop.exit(1); });
    guard.start(seconds * 1000);
    if (loop.exec() != 0)
        throw Failure(QStringLiteral("nothing came for %1 s, or a start failed").arg(seconds));
}

// A process that does not start ends \a loop with a failure.
template<typename Process>
void failOnError(Process &process, QEventLoop &loop)
{
    QObject::connect(&process, &Process::errorOccurred, &loop,
                     [&loop](QProcess::ProcessError error) {
                         if (error == QProcess::FailedToStart)
                             loop.exit(2);
                     });
}

#endif // PROCESSKIT_BENCH_SUBJECTS_H
