// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CLICLIENT_H
#define PROCESSKIT_CLICLIENT_H

#include <ProcessKit/command.h>

namespace ProcessKit {

class PROCESSKIT_EXPORT CliClient
{
public:
    explicit CliClient(const QString &program, ProcessRunner *runner = nullptr);
    explicit CliClient(const Command &defaults, ProcessRunner *runner = nullptr);

    Command defaults() const { return m_defaults; }
    ProcessRunner &runner() const;
    void setDefaults(const Command &defaults) { m_defaults = defaults; }

    Command command(const QStringList &arguments) const;
    Command filledIn(const Command &command) const;

    QFuture<ProcessResult> output(const QStringList &arguments) const;
    QFuture<Expected<QString>> run(const QStringList &arguments) const;
    QFuture<Expected<int>> exitCode(const QStringList &arguments) const;
    QFuture<Expected<bool>> probe(const QStringList &arguments) const;
    QFuture<Expected<QJsonDocument>> json(const QStringList &arguments) const;
    template<typename Parser>
    auto parse(const QStringList &arguments, Parser parser) const
    {
        return runner().parse(command(arguments), std::move(parser));
    }

private:
    Command m_defaults;
    ProcessRunner *m_runner;
};

} // namespace ProcessKit

#endif // PROCESSKIT_CLICLIENT_H
