// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_REPORT_H
#define PROCESSKIT_BENCH_REPORT_H

#include "measure.h"

#include <QtCore/qjsonobject.h>
#include <QtCore/qlist.h>
#include <QtCore/qstring.h>

#include <optional>

struct Target
{
    enum Kind { None, RatioAtMost, RatioAtLeast, ValueAtMost };
    Kind kind = None;
    double bound = 0;

    QString text() const;
    static Target ratioAtMost(double bound) { return { RatioAtMost, bound }; }
    static Target ratioAtLeast(double bound) { return { RatioAtLeast, bound }; }
    static Target valueAtMost(double bound) { return { ValueAtMost, bound }; }
};

// One row of the table.
struct Figure
{
    QString name;
    QString unit;
    QString note; // why there is no value; or a remark
    bool broken = false; // there should have been one
    std::optional<double> value;
    double lowest = 0;
    double highest = 0;
    int runs = 0;
    QString referenceName;
    std::optional<double> reference;
    Target target;

    std::optional<double> ratio() const;
    std::optional<bool> met() const;

    QJsonObject toJson() const;
    static Figure fromJson(const QJsonObject &object);
};

enum class Summary {
    Median,
    Worst, // the largest of all runs
};

// The row for \a subject, beside \a reference when there is one.
Figure figure(const QString &name, const QString &unit, const Samples &subject,
              const Samples &reference = {}, const Target &target = {},
              Summary summary = Summary::Median);

void printTable(const QList<Figure> &figures);
void printSummary(const QList<Figure> &figures);

#endif // PROCESSKIT_BENCH_REPORT_H
