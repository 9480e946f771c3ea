// SPDX-License-Identifier: MIT
#include "build.h"
#include "comparison.h"
#include "sampleproject.h"

#include <ProcessKit/Containment>

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDir>
#include <QEventLoop>
#include <QMetaEnum>
#include <QStandardPaths>
#include <QTemporaryDir>

#include <cstdio>

using namespace ProcessKit;
using namespace Qt::StringLiterals;

namespace {

void print(const QString &text)
{
    std::puts(qPrintable(text));
    std::fflush(stdout);
}

QString mechanismName(Mechanism mechanism)
{
    return QString::fromLatin1(QMetaEnum::fromType<Mechanism>().valueToKey(int(mechanism)));
}

QString seconds(std::chrono::nanoseconds time)
{
    return u"%1 s"_s.arg(std::chrono::duration<double>(time).count(), 0, 'f', 2);
}

QString aliveText(const Build &build)
{
    return u"%1 by members(), %2 by a look into /proc a moment later"_s
            .arg(build.process().members().size())
            .arg(build.marker().processes().size());
}

void showIn(ProgressView &view, Build &build)
{
    QObject::connect(&build, &Build::outputReceived, &build,
                     [&view](const QList<OutputLine> &lines) { view.addLines(lines); });
    QObject::connect(&build, &Build::progressChanged, &build,
                     [&view](const Progress &progress) { view.setProgress(progress); });
}

bool buildToTheEnd(const Project &project)
{
    print(u"\n1. A build to its end"_s);
    Build build(project);
    ProgressView view;
    QEventLoop loop;
    bool succeeded = false;
    QStringList leftovers;

    showIn(view, build);
    QObject::connect(&build, &Build::leftoversFound, &loop,
                     [&leftovers](const QList<ProcessInfo> &processes) {
                         for (const ProcessInfo &info : processes)
                             leftovers += u"%1 (%2)"_s.arg(info.name()).arg(info.processId());
                     });
    QObject::connect(&build, &Build::finished, &loop, [&](bool success, const QString &error) {
        if (success) {
            view.clear();
        } else {
            view.printLastLines();
            print(u"  "_s + error);
        }
        succeeded = success;
        loop.quit();
    });
    QMetaObject::invokeMethod(&build, &Build::start, Qt::QueuedConnection);
    loop.exec();

    print(u"  %1 in %2, %3 lines, held by %4"_s
                  .arg(succeeded ? u"built"_s : u"not built"_s, seconds(build.elapsed()))
                  .arg(build.lineCount())
                  .arg(mechanismName(build.process().mechanism())));
    if (!leftovers.isEmpty())
        print(u"  left over by the build, and ended: "_s + leftovers.join(u", "_s));
    return succeeded;
}

bool stopHalfway(const Project &project)
{
    print(u"\n2. A build that is stopped half-way"_s);
    QDir(project.buildDirectory).removeRecursively();
    Build build(project);
    ProgressView view;
    QEventLoop loop;
    bool stopped = false;
    bool clean = false;

    const auto stop = [&] {
        stopped = true;
        view.clear();
        print(u"  alive before: "_s + aliveText(build));
        build.stop().then(&build, [&](const ShutdownReport &report) {
            view.clear(); // it may have got last words meanwhile
            print(u"  shutdown: %1 processes, %2 after SIGTERM, %3 in %4, held by %5"_s
                          .arg(report.membersBefore)
                          .arg(report.membersAfterGrace)
                          .arg(report.empty ? u"empty"_s : u"not empty"_s, seconds(report.elapsed),
                               mechanismName(report.mechanism)));
            print(u"  alive after:  "_s + aliveText(build));
            clean = report.empty && build.marker().processes().isEmpty();
            loop.quit();
        });
    };

    showIn(view, build);
    QObject::connect(&build, &Build::progressChanged, &loop, [&](const Progress &progress) {
        if (!stopped && progress.percent() >= 50)
            stop();
    });
    QObject::connect(&build, &Build::finished, &loop, [&](bool, const QString &error) {
        if (!stopped) {
            view.printLastLines();
            print(u"  the build ended too early: "_s + error);
            loop.quit();
        }
    });
    QMetaObject::invokeMethod(&build, &Build::start, Qt::QueuedConnection);
    loop.exec();
    return clean;
}

int showcase(const QString &sourceDirectory, const QStringList &configureOptions)
{
    for (const char *tool : { "cmake", "ninja", "c++" }) {
        if (QStandardPaths::findExecutable(QLatin1StringView(tool)).isEmpty()) {
            std::fprintf(stderr, "ide-build: this example needs cmake, ninja and c++: no %s here\n",
                         tool);
            return 1;
        }
    }

    const QTemporaryDir scratch;
    Project project = { sourceDirectory, scratch.filePath(u"build"_s), configureOptions };
    if (sourceDirectory.isEmpty()) {
        project.sourceDirectory = scratch.filePath(u"source"_s);
        if (!writeSampleProject(project.sourceDirectory)) {
            std::fprintf(stderr, "ide-build: cannot write to %s\n", qPrintable(scratch.path()));
            return 1;
        }
    }

    const Containment containment = Containment::query();
    print(u"This host gives: "_s + mechanismName(containment.mechanism()));
    if (!containment.reason().isEmpty())
        print(u"  "_s + containment.reason());
    if (!buildToTheEnd(project) || !stopHalfway(project))
        return 1;
    print(u"\n3. Survivors of a build that is stopped in the middle, two seconds later"_s);
    return compareWithQProcess(project.buildDirectory) ? 0 : 1;
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication application(argc, argv);
    QCommandLineParser parser;
    parser.setApplicationDescription(
            u"Builds a project, stops the build half-way, and compares with QProcess "
            "what is left of it."_s);
    const QCommandLineOption source(u"source"_s,
                                    u"Build the CMake project in <directory> instead "
                                    "of a generated one."_s,
                                    u"directory"_s);
    QCommandLineOption scenario(u"scenario"_s, u"Be the program that gets killed."_s, u"holder"_s);
    scenario.setFlags(QCommandLineOption::HiddenFromHelp);
    parser.addOptions({ source, scenario });
    parser.addPositionalArgument(u"options"_s, u"Options for the configure step, after \"--\"."_s,
                                 u"[-- options...]"_s);
    parser.addHelpOption();
    parser.process(application);

    const QStringList arguments = parser.positionalArguments();
    if (parser.isSet(scenario)) {
        return arguments.size() == 2
                ? runVictim(parser.value(scenario), arguments.at(0), arguments.at(1))
                : 1;
    }
    return showcase(parser.value(source), arguments);
}
