// SPDX-License-Identifier: MIT
#include "containedundertest.h"

#include <QtCore/qmetaobject.h>

using ProcessKit::Mechanism;

ContainedUnderTest::ContainedUnderTest(QObject *parent) : ContainedProcess(parent)
{
    const QByteArray name = qgetenv("PROCESSKIT_COMPAT_MECHANISM");
    if (name.isEmpty())
        return;
    bool known = false;
    const int value = QMetaEnum::fromType<Mechanism>().keyToValue(name.constData(), &known);
    if (!known)
        qFatal("PROCESSKIT_COMPAT_MECHANISM is no mechanism");
    setRequestedMechanism(Mechanism(value));
}

void ContainedUnderTest::setChildProcessModifier(const ChildProcessModifier &modifier)
{
    if (requestedMechanism() == Mechanism::Subreaper)
        setRequestedMechanism(Mechanism::ProcessGroup);
    ContainedProcess::setChildProcessModifier(modifier);
}
