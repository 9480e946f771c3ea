// SPDX-License-Identifier: MIT
#ifndef PKTEST_OWNERPROCESS_H
#define PKTEST_OWNERPROCESS_H

#include <ProcessKit/containment.h>

#include <QtCore/qbytearraylist.h>
#include <QtCore/qprocess.h>

namespace PkTest {

// pk-owner, an application that uses the library, started by QProcess: without the library under
// test. Destroying it kills it.
class OwnerProcess
{
public:
    OwnerProcess(ProcessKit::Mechanism mechanism, const QByteArray &then);
    ~OwnerProcess();

    void addOption(const QByteArray &name, const QByteArray &value = {});
    void setEnvironmentEntry(const QByteArray &name, const QByteArray &value);
    // runs pk-owner under another program, with the arguments for that one
    void setWrapper(const QString &program, const QStringList &arguments);
    // what the owner is to start: pk-helper with these arguments, ...
    void start(const QByteArrayList &helperArguments);
    // ... or another program
    void startProgram(const QString &program, const QStringList &arguments);

    void sendLine();
    void closeInput();
    void kill();
    bool wait();

    int exitCode() const { return m_process.exitCode(); }
    bool crashed() const { return m_process.exitStatus() == QProcess::CrashExit; }
    QByteArray output() { return m_process.readAllStandardOutput(); }
    QByteArray errorOutput() { return m_process.readAllStandardError(); }

private:
    QProcess m_process;
    QStringList m_options;
    QString m_wrapper;
    QStringList m_wrapperArguments;
};

} // namespace PkTest

#endif // PKTEST_OWNERPROCESS_H
