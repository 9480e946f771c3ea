// SPDX-License-Identifier: MIT
#include "keepertest.h"

#include "cleantest.h"
#include "procfs.h"
#include "shapes.h"

#include <QtCore/qfile.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace PkTest {

void KeeperTest::initTestCase()
{
    QVERIFY(m_directory.isValid());
    QCOMPARE(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

void KeeperTest::init()
{
    m_descriptors = openDescriptors(getpid()).size();
    m_expectedCode = 0;
    m_endsLate = false;
    m_reports = std::make_unique<ReportChannel>(m_directory.path());
    restartKeeper(KeeperDriver::Greeting::Yes);
    QVERIFY(m_driver->isReady());
}

void KeeperTest::restartKeeper(KeeperDriver::Greeting greeting)
{
    if (m_driver) {
        m_driver->control().close();
        m_driver->keeper().waitGone();
        m_driver->killApplication();
        reapAll();
    }
    m_driver = std::make_unique<KeeperDriver>(greeting);
}

QByteArrayList KeeperTest::helperCommand(const QByteArrayList &arguments)
{
    return QByteArrayList{ QFile::encodeName(helper()) } + arguments;
}

Group KeeperTest::launchShape(const QByteArray &shape)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        qFatal("no pipe");
    const UniqueFd readEnd(ends[0]);
    m_inputs.emplace_back(ends[1]);
    Group group = m_driver->launch(helperCommand({ "tree", shape }), { { readEnd.get(), 0 } });
    if (group.child == 0 || !m_reports->waitFor(shapeNamed(shape).reports))
        return {};
    return group;
}

// Describes what is wrong: a keeper that crashed, and children that should not be there.
QString KeeperTest::reapAll()
{
    QString wrong;
    const QDeadlineTimer deadline(Patience);
    siginfo_t info{};
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0)
            break;
        if (info.si_pid == 0) {
            // One that is dying may hand over another one that is dying, too.
            const QList<ProcStat> left = childrenOf(getpid());
            if (!m_endsLate || left.isEmpty()
                || !PidHandle(left[0].pid, left[0].startTime).waitGone(deadline)
                || deadline.hasExpired())
                break;
            continue;
        }
        if (info.si_pid == m_driver->keeper().pid() && info.si_code != CLD_EXITED
            && m_expectedCode >= 0) {
            wrong += QStringLiteral("the keeper was killed by %1; ").arg(info.si_status);
        } else if (info.si_pid == m_driver->keeper().pid() && info.si_status != m_expectedCode
                   && m_expectedCode >= 0) {
            wrong += QStringLiteral("the keeper ended with %1; ").arg(info.si_status);
        }
    }
    for (const ProcStat &stat : childrenOf(getpid())) {
        wrong += QStringLiteral("%1 (%2) escaped; ")
                         .arg(stat.pid)
                         .arg(QString::fromLocal8Bit(stat.name));
        PidHandle(stat.pid, stat.startTime).end();
    }
    return wrong;
}

void KeeperTest::cleanup()
{
    std::vector<PidHandle> handles = m_reports->handles();
    m_driver->control().close();
    const bool ended = m_driver->keeper().waitGone();
    // before the inputs are closed, so that nothing ends by itself
    const auto alive = std::count_if(handles.begin(), handles.end(), [this](const PidHandle &each) {
        return !(m_endsLate ? each.waitGone() : each.isGone());
    });
    m_driver->killApplication();
    const QString wrong = reapAll();
    m_inputs.clear();
    m_driver.reset();
    handles.clear();
    m_reports.reset();

    QVERIFY(ended);
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    QCOMPARE(alive, 0);
    QCOMPARE(openDescriptors(getpid()).size(), m_descriptors);
}

} // namespace PkTest
