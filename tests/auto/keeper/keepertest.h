// SPDX-License-Identifier: MIT
#ifndef PKTEST_KEEPERTEST_H
#define PKTEST_KEEPERTEST_H

#include "keeperdriver.h"
#include "reportchannel.h"

#include <QtCore/qobject.h>
#include <QtCore/qtemporarydir.h>
#include <QtTest/qtest.h>

#include <memory>

namespace PkTest {

// What every test of the keeper is derived from. This process is a subreaper: whatever escapes from
// a keeper becomes its child and is found when the keeper has ended.
class KeeperTest : public QObject
{
    Q_OBJECT

protected:
    KeeperDriver &driver() { return *m_driver; }
    ReportChannel &reports() { return *m_reports; }
    // for a test that needs a keeper of its own kind
    void restartKeeper(KeeperDriver::Greeting greeting);
    // for a test that kills the keeper, or one that must not end with 0
    void expectKeeperEnds(int code) { m_expectedCode = code; }

    // for members that the keeper does not wait for: they are dying when it ends
    void expectLateEnds() { m_endsLate = true; }

    // "pk-helper ARGUMENT..."
    static QByteArrayList helperCommand(const QByteArrayList &arguments);
    // starts a tree of that shape, whose direct child lives until the tree is killed, and waits
    // until it is complete
    Group launchShape(const QByteArray &shape);

protected Q_SLOTS: // not test functions: those are private
    void initTestCase();
    void init();
    void cleanup();

private:
    QString reapAll();

    QTemporaryDir m_directory;
    std::unique_ptr<ReportChannel> m_reports;
    std::unique_ptr<KeeperDriver> m_driver;
    std::vector<UniqueFd> m_inputs; // their other ends keep direct children waiting
    qsizetype m_descriptors = 0;
    int m_expectedCode = 0;
    bool m_endsLate = false;
};

} // namespace PkTest

#endif // PKTEST_KEEPERTEST_H
