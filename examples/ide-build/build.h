// SPDX-License-Identifier: MIT
#ifndef BUILD_H
#define BUILD_H

#include "marker.h"
#include "progress.h"

#include <ProcessKit/ContainedProcess>

#include <QElapsedTimer>
#include <QObject>

struct Project
{
    QString sourceDirectory;
    QString buildDirectory;
    QStringList configureOptions;
};

// Configures and builds a project, as an IDE does when its user presses Build, and stops it when
// the user presses Stop.
class Build : public QObject
{
    Q_OBJECT

public:
    explicit Build(const Project &project, QObject *parent = nullptr);

    void start();
    QFuture<ProcessKit::ShutdownReport> stop();

    const ProcessKit::ContainedProcess &process() const { return m_process; }
    const Marker &marker() const { return m_marker; }
    qint64 lineCount() const { return m_lineCount; }
    std::chrono::milliseconds elapsed() const;

Q_SIGNALS:
    void outputReceived(const QList<ProcessKit::OutputLine> &lines);
    void progressChanged(const Progress &progress);
    void leftoversFound(const QList<ProcessKit::ProcessInfo> &leftovers);
    void finished(bool success, const QString &error);

private:
    void onLines(const QList<ProcessKit::OutputLine> &lines);
    void onProcessFinished(int exitCode, QProcess::ExitStatus status);
    void onErrorOccurred(QProcess::ProcessError error);

    enum class Step { Configure, Compile };

    const Project m_project;
    const Marker m_marker;
    ProcessKit::ContainedProcess m_process;
    Step m_step = Step::Configure;
    QElapsedTimer m_timer;
    qint64 m_lineCount = 0;
};

// Ninja, and two background servers as builds have them: compiler caches, language servers, Gradle
// and Bazel daemons. The first is in a session of its own, the second is a daemon by double fork.
inline constexpr char CompileScript[] = R"(
    setsid sleep 300 </dev/null >/dev/null 2>&1 &
    (setsid sleep 300 </dev/null >/dev/null 2>&1 &)
    exec ninja -C "$1"
)";

// For ContainedProcess and for QProcess: their API is the same.
template<typename Process>
void startCompiling(Process &process, const QString &buildDirectory, const Marker &marker)
{
    using namespace Qt::StringLiterals;
    process.setProcessEnvironment(marker.environment());
    process.start(u"sh"_s, { u"-c"_s, QLatin1StringView(CompileScript), u"sh"_s, buildDirectory });
}

#endif // BUILD_H
