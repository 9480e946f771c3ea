// SPDX-License-Identifier: MIT
#include "processgroup_p.h"

#include "convert_p.h"
#include "processrun_p.h"
#include "shutdown_p.h"

#include <ProcessKit/processgroup.h>

#include <QtCore/qpointer.h>

#include <signal.h>

namespace ProcessKit {

using Native::Reactor;

ProcessGroup::ProcessGroup(QObject *parent) : ProcessGroup(Mechanism::None, parent) { }

ProcessGroup::ProcessGroup(Mechanism requested, QObject *parent)
    : QObject(parent), d(std::make_unique<ProcessGroupPrivate>())
{
    d->state = std::make_shared<GroupState>(requested, this);
}

ProcessGroup::~ProcessGroup()
{
    d->state->forgetReceiver();
    kill();
}

ContainedProcess *ProcessGroup::start(const QString &program, const QStringList &arguments)
{
    auto *process = new ContainedProcess(this);
    process->setGroup(this);
    process->start(program, arguments);
    return process;
}

QList<ContainedProcess *> ProcessGroup::startedProcesses() const
{
    return findChildren<ContainedProcess *>(Qt::FindDirectChildrenOnly);
}

Mechanism ProcessGroup::mechanism() const
{
    const Mechanism ofLastStart = d->state->mechanism();
    if (ofLastStart != Mechanism::None)
        return ofLastStart;
    return Containment::query(d->state->requested()).mechanism();
}

bool ProcessGroup::isEmpty() const
{
    return d->state->isEmpty();
}

QList<ProcessInfo> ProcessGroup::processes() const
{
    QList<ProcessInfo> processes;
    if (isEmpty())
        return processes;
    Reactor::instance().call([&] {
        for (const auto &run : d->state->runs())
            processes += toProcessInfo(run->tree()->members());
    });
    return processes;
}

QFuture<ShutdownReport> ProcessGroup::shutdown(std::chrono::milliseconds grace)
{
    return isEmpty() ? Shutdown::ofNothing() : Shutdown::of(d->state, grace);
}

bool ProcessGroup::waitForEmptied(int msecs)
{
    return d->state->waitForEmptied(QDeadlineTimer(msecs));
}

void ProcessGroup::kill()
{
    if (!isEmpty())
        Reactor::instance().post([state = d->state] { state->kill(); });
}

void ProcessGroup::terminate()
{
    if (isEmpty())
        return;
    Reactor::instance().post([state = d->state] {
        state->signal(SIGTERM);
        state->signal(SIGCONT); // a stopped member has to run to end
    });
}

bool ProcessGroup::event(QEvent *event)
{
    if (event->type() != GroupState::EmptiedEvent)
        return QObject::event(event);
    d->state->acknowledgeEvent();
    if (!d->state->isEmpty())
        return true; // something has been started meanwhile
    const QPointer<ProcessGroup> guard(this);
    Q_EMIT emptied();
    if (guard)
        Q_EMIT emptyChanged(true);
    return true;
}

} // namespace ProcessKit
