// SPDX-License-Identifier: MIT
#include "ownerprocess.h"

#include "cleantest.h"

using namespace ProcessKit;

namespace PkTest {

OwnerProcess::OwnerProcess(Mechanism mechanism, const QByteArray &then)
{
    addOption("--then", then);
    if (mechanism != Mechanism::None)
        addOption("--mechanism", mechanismName(mechanism));
}

OwnerProcess::~OwnerProcess()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.kill();
    m_process.waitForFinished(Patience);
}

void OwnerProcess::addOption(const QByteArray &name, const QByteArray &value)
{
    m_options.append(QString::fromLatin1(name));
    if (!value.isEmpty())
        m_options.append(QString::fromLatin1(value));
}

void OwnerProcess::setEnvironmentEntry(const QByteArray &name, const QByteArray &value)
{
    auto environment = m_process.processEnvironment();
    if (environment.isEmpty())
        environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QString::fromLocal8Bit(name), QString::fromLocal8Bit(value));
    m_process.setProcessEnvironment(environment);
}

void OwnerProcess::setWrapper(const QString &program, const QStringList &arguments)
{
    m_wrapper = program;
    m_wrapperArguments = arguments;
}

void OwnerProcess::start(const QByteArrayList &helperArguments)
{
    QStringList arguments;
    for (const QByteArray &argument : helperArguments)
        arguments.append(QString::fromLocal8Bit(argument));
    startProgram(helper(), arguments);
}

void OwnerProcess::startProgram(const QString &program, const QStringList &arguments)
{
    const QStringList all = m_options + QStringList{ QStringLiteral("--"), program } + arguments;
    if (m_wrapper.isEmpty())
        m_process.start(owner(), all);
    else
        m_process.start(m_wrapper, m_wrapperArguments + QStringList(owner()) + all);
}

void OwnerProcess::sendLine()
{
    m_process.write("\n");
    m_process.waitForBytesWritten(Patience);
}

void OwnerProcess::closeInput()
{
    m_process.closeWriteChannel();
}

void OwnerProcess::kill()
{
    m_process.kill();
}

bool OwnerProcess::wait()
{
    return m_process.state() == QProcess::NotRunning || m_process.waitForFinished(Patience);
}

} // namespace PkTest
