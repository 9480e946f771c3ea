// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_COMPAT_CONTAINEDUNDERTEST_H
#define PROCESSKIT_COMPAT_CONTAINEDUNDERTEST_H

#include <ProcessKit/ContainedProcess>

// A ContainedProcess that takes its mechanism from PROCESSKIT_COMPAT_MECHANISM, or the default.
class ContainedUnderTest : public ProcessKit::ContainedProcess
{
    Q_OBJECT

public:
    explicit ContainedUnderTest(QObject *parent = nullptr);

    // By default a modifier is run by whatever mechanism can; one that was asked for and cannot is
    // an error. So the test asks for what the default would be without cgroups.
    void setChildProcessModifier(const ChildProcessModifier &modifier);
};

#endif // PROCESSKIT_COMPAT_CONTAINEDUNDERTEST_H
