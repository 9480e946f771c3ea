// SPDX-License-Identifier: MIT
#include "benchmark.h"
#include "threadstat.h"

#include <QtCore/qcommandlineparser.h>
#include <QtCore/qcoreapplication.h>
#include <QtCore/qfile.h>
#include <QtCore/qjsonarray.h>
#include <QtCore/qjsondocument.h>

#include <cstdio>
#include <fcntl.h>

namespace {

// In a process of its own: one benchmark, or one part of it, answered through a pipe.
int runIsolated(Bench &bench, int answer)
{
    const auto found = benchmarks().find(bench.name.toStdString());
    if (found == benchmarks().end())
        return 2;
    QJsonObject object;
    try {
        found->second.run(bench);
    } catch (const Failure &failure) {
        object.insert(QStringLiteral("failure"), failure.text());
    }
    QJsonArray rows;
    for (const Figure &figure : bench.figures)
        rows.append(figure.toJson());
    object.insert(QStringLiteral("figures"), rows);
    object.insert(QStringLiteral("result"), bench.partResult);

    QFile file;
    if (!file.open(answer, QIODevice::WriteOnly, QFileDevice::AutoCloseHandle))
        return 2;
    file.write(QJsonDocument(object).toJson(QJsonDocument::Compact));
    return 0;
}

// a name chooses itself and what begins with it and a dash
QStringList chosen(const QStringList &names)
{
    QStringList found;
    for (const auto &entry : benchmarks()) {
        const QString name = QString::fromStdString(entry.first);
        for (const QString &wanted : names) {
            if ((name == wanted || name.startsWith(wanted + u'-')) && !found.contains(name))
                found += name;
        }
        if (names.isEmpty())
            found += name;
    }
    return found;
}

QList<Figure> runOne(const QString &name, int runs, bool smoke)
{
    QStringList arguments{ QStringLiteral("--isolated"), name, QStringLiteral("--runs"),
                           QString::number(runs) };
    if (smoke)
        arguments += QStringLiteral("--smoke");
    QList<Figure> figures;
    QString failure;
    try {
        const QJsonObject answer = runSelf(arguments);
        const QJsonArray rows = answer.value(u"figures").toArray();
        for (const auto &row : rows)
            figures += Figure::fromJson(row.toObject());
        failure = answer.value(u"failure").toString();
    } catch (const Failure &error) {
        failure = error.text();
    }
    if (!failure.isEmpty()) {
        Figure row;
        row.name = name;
        row.note = failure;
        row.broken = true;
        figures += row;
    }
    return figures;
}

bool writeJson(const QString &fileName, const QList<Figure> &figures)
{
    QJsonArray rows;
    for (const Figure &figure : figures) {
        QJsonObject row = figure.toJson();
        row.remove(u"targetKind");
        row.remove(u"targetBound");
        rows.append(row);
    }
    const QByteArray text = QJsonDocument(rows).toJson();
    QFile file(fileName);
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.flush()) {
        std::fprintf(stderr, "%s: %s\n", qPrintable(fileName), qPrintable(file.errorString()));
        return false;
    }
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    QCommandLineParser parser;
    parser.setApplicationDescription(
            QStringLiteral("Compares ProcessKit with QProcess and with bare system calls."));
    parser.addHelpOption();
    const QCommandLineOption list(QStringLiteral("list"), QStringLiteral("List the benchmarks."));
    const QCommandLineOption runs(QStringLiteral("runs"),
                                  QStringLiteral("How often each subject is measured."),
                                  QStringLiteral("N"), QStringLiteral("7"));
    const QCommandLineOption json(QStringLiteral("json"),
                                  QStringLiteral("Write the figures to FILE too."),
                                  QStringLiteral("FILE"));
    const QCommandLineOption smoke(QStringLiteral("smoke"),
                                   QStringLiteral("Tiny sizes: only shows that everything runs."));
    QCommandLineOption isolated(QStringLiteral("isolated"), {}, QStringLiteral("NAME"));
    QCommandLineOption part(QStringLiteral("part"), {}, QStringLiteral("PART"));
    QCommandLineOption answer(QStringLiteral("answer"), {}, QStringLiteral("FD"));
    for (QCommandLineOption *option : { &isolated, &part, &answer })
        option->setFlags(QCommandLineOption::HiddenFromHelp);
    parser.addOptions({ list, runs, json, smoke, isolated, part, answer });
    parser.addPositionalArgument(QStringLiteral("NAME"), QStringLiteral("Benchmarks to run."),
                                 QStringLiteral("[NAME...]"));
    parser.process(application);

    if (parser.isSet(list)) {
        for (const auto &[name, benchmark] : benchmarks())
            std::printf("%-12s %s\n", name.c_str(), benchmark.description);
        return 0;
    }

    Bench bench;
    bench.smoke = parser.isSet(smoke);
    bench.runs = bench.smoke ? 1 : qMax(1, parser.value(runs).toInt());
    if (parser.isSet(isolated)) {
        bench.name = parser.value(isolated);
        bench.part = parser.value(part);
        const int descriptor = parser.value(answer).toInt();
        // children that outlive us must not hold it open
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        return runIsolated(bench, descriptor);
    }

    for (const QString &name : parser.positionalArguments()) {
        if (chosen({ name }).isEmpty()) {
            std::fprintf(stderr, "no benchmark is called %s (see --list)\n", qPrintable(name));
            return 2;
        }
    }

    const Stopwatch stopwatch;
    QList<Figure> all;
    bool failed = false;
    for (const QString &name : chosen(parser.positionalArguments())) {
        const auto &benchmark = benchmarks().at(name.toStdString());
        std::printf("\n%s: %s\n", qPrintable(name), benchmark.description);
        if (const double load = bench.smoke ? 0 : machineLoad(300); load > 0.1)
            std::printf("(other programs use %.0f %% of this machine: the spreads will be wide)\n",
                        load * 100);
        std::fflush(stdout);
        const QList<Figure> figures = runOne(name, bench.runs, bench.smoke);
        printTable(figures);
        all += figures;
        for (const Figure &figure : figures)
            failed |= figure.broken;
    }
    printSummary(all);
    std::printf("%.0f s\n", stopwatch.seconds());
    if (parser.isSet(json) && !writeJson(parser.value(json), all))
        return 2;
    // a benchmark that broke, not one that was slow
    return failed ? 1 : 0;
}
