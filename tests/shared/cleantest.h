// SPDX-License-Identifier: MIT
#ifndef PKTEST_CLEANTEST_H
#define PKTEST_CLEANTEST_H

#include "pidhandle.h"
#include "reportchannel.h"

#include <ProcessKit/containedprocess.h>

#include <QtCore/qmap.h>
#include <QtCore/qobject.h>
#include <QtCore/qtemporarydir.h>
#include <QtTest/qtest.h>

#include <memory>
#include <optional>

Q_DECLARE_METATYPE(ProcessKit::Mechanism)

namespace PkTest {

// What every test of the library is derived from: when a test case has ended, nothing of it may be
// left. No process that it started is alive (they are known by an entry in their environment), we
// have no zombie, the keeper has no child, none of our cgroups is populated, and the descriptors of
// this process and of the keeper are those from before.
class CleanTest : public QObject
{
    Q_OBJECT

public:
    // the environment entry by which the processes of this test are known, for environments that a
    // test makes itself
    static QByteArray token();
    static QProcessEnvironment emptyEnvironment();

protected:
    ReportChannel &reports() { return *m_reports; }
    QString temporaryPath(const QString &name) const { return m_directory.filePath(name); }
    // waits for every process of the test to end; describes, and ends, those that do not
    QString survivors();
    // for a test whose processes become children of a process 1, which we may be
    void expectOrphans() { m_orphans = true; }
    // for a test that replaced the keeper or did other lasting things
    void forgetDescriptors();

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();

private:
    void warmUp();
    QString zombies() const;
    QString keeperChildren() const;
    QString cgroupsLeft() const;
    QString descriptorsLeft() const;

    QTemporaryDir m_directory;
    std::unique_ptr<ReportChannel> m_reports;
    std::optional<QMap<int, QString>> m_descriptors;
    bool m_orphans = false;
    qint64 m_keeper = 0;
    qsizetype m_keeperDescriptors = 0;
};

// the programs beside the test program
QString helper();
QString owner();
QString faults();

// rows for the mechanisms, and the one to skip what this host cannot do
void addMechanismRows();
QByteArray mechanismName(ProcessKit::Mechanism mechanism);
bool isPossible(ProcessKit::Mechanism mechanism);
QByteArray whyImpossible(ProcessKit::Mechanism mechanism);

} // namespace PkTest

#define PK_REQUIRE_MECHANISM(mechanism) \
  do { \
    if (!PkTest::isPossible(mechanism)) \
      QSKIP(PkTest::whyImpossible(mechanism).constData()); \
  } while (false)

#endif // PKTEST_CLEANTEST_H
