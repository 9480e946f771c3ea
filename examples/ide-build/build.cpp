// SPDX-License-Identifier: MIT
#include "build.h"

using namespace ProcessKit;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

Build::Build(const Project &project, QObject *parent) : QObject(parent), m_project(project)
{
    m_process.setProcessEnvironment(m_marker.environment());
    connect(&m_process, &ContainedProcess::linesReady, this, &Build::onLines);
    connect(&m_process, &ContainedProcess::finished, this, &Build::onProcessFinished);
    connect(&m_process, &ContainedProcess::errorOccurred, this, &Build::onErrorOccurred);
    connect(&m_process, &ContainedProcess::leftoversFound, this, &Build::leftoversFound);
}

void Build::start()
{
    m_timer.start();
    m_step = Step::Configure;
    m_process.start(u"cmake"_s,
                    QStringList{ u"-S"_s, m_project.sourceDirectory, u"-B"_s,
                                 m_project.buildDirectory, u"-G"_s, u"Ninja"_s }
                            + m_project.configureOptions);
}

// A request to all processes of the build; those that are still there after two seconds are killed.
QFuture<ShutdownReport> Build::stop()
{
    return m_process.shutdown(2s);
}

std::chrono::milliseconds Build::elapsed() const
{
    return std::chrono::milliseconds(m_timer.elapsed());
}

void Build::onLines(const QList<OutputLine> &lines)
{
    m_lineCount += lines.size();
    emit outputReceived(lines);

    // One batch may bring many steps: only the newest is worth a repaint.
    for (auto line = lines.crbegin(); m_step == Step::Compile && line != lines.crend(); ++line) {
        if (const auto progress = Progress::fromLine(line->text())) {
            emit progressChanged(*progress);
            break;
        }
    }
}

void Build::onProcessFinished(int exitCode, QProcess::ExitStatus status)
{
    if (status == QProcess::CrashExit) {
        emit finished(false, u"%1 was ended by a signal"_s.arg(m_process.program()));
    } else if (exitCode != 0) {
        emit finished(false,
                      u"%1 ended with exit code %2"_s.arg(m_process.program()).arg(exitCode));
    } else if (m_step == Step::Configure) {
        m_step = Step::Compile;
        startCompiling(m_process, m_project.buildDirectory, m_marker);
    } else {
        emit finished(true, {});
    }
}

void Build::onErrorOccurred(QProcess::ProcessError error)
{
    if (error == QProcess::FailedToStart)
        emit finished(false, m_process.failure().text());
}
