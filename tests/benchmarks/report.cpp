// SPDX-License-Identifier: MIT
#include "report.h"

#include <QtCore/qjsonarray.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace {

QString number(double value)
{
    const double size = std::abs(value);
    if (size != 0 && size < 0.01)
        return QString::number(value, 'g', 2);
    if (size == std::floor(size) && size < 1e9)
        return QString::number(value, 'f', 0);
    const int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : 2;
    return QString::number(value, 'f', decimals);
}

QJsonValue optionalNumber(const std::optional<double> &value)
{
    return value ? QJsonValue(*value) : QJsonValue();
}

std::optional<double> toOptional(const QJsonValue &value)
{
    return value.isDouble() ? std::optional<double>(value.toDouble()) : std::nullopt;
}

void printCells(const QStringList &cells)
{
    static constexpr int widths[] = { -36, 10, -12, -19, -30, 8, -8, -6 };
    QString row;
    for (int i = 0; i < cells.size(); ++i)
        row += QStringLiteral("%1 ").arg(cells[i], widths[i]);
    while (row.endsWith(u' '))
        row.chop(1);
    std::printf("%s\n", qPrintable(row));
}

} // namespace

QString Target::text() const
{
    switch (kind) {
    case None:
        break;
    case RatioAtMost:
        return QStringLiteral("<= %1 x").arg(bound);
    case RatioAtLeast:
        return QStringLiteral(">= %1 x").arg(bound);
    case ValueAtMost:
        return QStringLiteral("<= %1").arg(bound);
    }
    return {};
}

std::optional<double> Figure::ratio() const
{
    if (!value || !reference || *reference == 0)
        return std::nullopt;
    return *value / *reference;
}

std::optional<bool> Figure::met() const
{
    const std::optional<double> quotient = ratio();
    switch (target.kind) {
    case Target::None:
        break;
    case Target::RatioAtMost:
        return quotient ? std::optional(*quotient <= target.bound) : std::nullopt;
    case Target::RatioAtLeast:
        return quotient ? std::optional(*quotient >= target.bound) : std::nullopt;
    case Target::ValueAtMost:
        return value ? std::optional(*value <= target.bound) : std::nullopt;
    }
    return std::nullopt;
}

QJsonObject Figure::toJson() const
{
    const std::optional<bool> reached = met();
    QJsonObject object{
        { QStringLiteral("name"), name },
        { QStringLiteral("value"), optionalNumber(value) },
        { QStringLiteral("unit"), unit },
        { QStringLiteral("reference"), optionalNumber(reference) },
        { QStringLiteral("referenceName"), referenceName },
        { QStringLiteral("ratio"), optionalNumber(ratio()) },
        { QStringLiteral("runs"), runs },
        { QStringLiteral("target"), target.text() },
        { QStringLiteral("targetKind"), int(target.kind) },
        { QStringLiteral("targetBound"), target.bound },
        { QStringLiteral("met"), reached ? QJsonValue(*reached) : QJsonValue() },
    };
    if (value)
        object.insert(QStringLiteral("spread"), QJsonArray{ lowest, highest });
    if (broken)
        object.insert(QStringLiteral("broken"), true);
    if (!note.isEmpty())
        object.insert(QStringLiteral("note"), note);
    return object;
}

Figure Figure::fromJson(const QJsonObject &object)
{
    Figure figure;
    figure.name = object.value(u"name").toString();
    figure.unit = object.value(u"unit").toString();
    figure.note = object.value(u"note").toString();
    figure.broken = object.value(u"broken").toBool();
    figure.value = toOptional(object.value(u"value"));
    figure.lowest = object.value(u"spread").toArray().at(0).toDouble();
    figure.highest = object.value(u"spread").toArray().at(1).toDouble();
    figure.runs = object.value(u"runs").toInt();
    figure.referenceName = object.value(u"referenceName").toString();
    figure.reference = toOptional(object.value(u"reference"));
    figure.target.kind = Target::Kind(object.value(u"targetKind").toInt());
    figure.target.bound = object.value(u"targetBound").toDouble();
    return figure;
}

Figure figure(const QString &name, const QString &unit, const Samples &subject,
              const Samples &reference, const Target &target, Summary summary)
{
    const auto summarized = [summary](const Samples &samples) {
        return summary == Summary::Worst ? samples.maximum() : samples.median();
    };

    Figure row;
    row.name = name;
    row.unit = unit;
    row.target = target;
    row.note = subject.failure;
    row.broken = subject.broken || reference.broken;
    row.runs = int(subject.values.size());
    if (!subject.values.isEmpty()) {
        row.value = summarized(subject);
        row.lowest = subject.minimum();
        row.highest = subject.maximum();
    }
    row.referenceName = reference.subject;
    if (!reference.values.isEmpty())
        row.reference = summarized(reference);
    else if (!reference.failure.isEmpty() && row.note.isEmpty())
        row.note = QStringLiteral("%1: n/a: %2").arg(reference.subject, reference.failure);
    return row;
}

void printTable(const QList<Figure> &figures)
{
    printCells({ QStringLiteral("name"), QStringLiteral("value"), QStringLiteral("unit"),
                 QStringLiteral("spread"), QStringLiteral("reference"), QStringLiteral("ratio"),
                 QStringLiteral("target"), QString() });
    for (const Figure &figure : figures) {
        if (!figure.value) {
            printCells({ figure.name, QStringLiteral("n/a:"), figure.note });
            continue;
        }
        QString reference = figure.referenceName;
        if (figure.reference)
            reference += QStringLiteral(": %1").arg(number(*figure.reference));
        const std::optional<double> ratio = figure.ratio();
        const std::optional<bool> met = figure.met();
        printCells({ figure.name, number(*figure.value), figure.unit,
                     figure.runs > 1 ? QStringLiteral("%1..%2").arg(number(figure.lowest),
                                                                    number(figure.highest))
                                     : QString(),
                     reference, ratio ? number(*ratio) + QStringLiteral(" x") : QString(),
                     figure.target.text(),
                     !met           ? QString()
                             : *met ? QStringLiteral("met")
                                    : QStringLiteral("MISSED") });
        if (!figure.note.isEmpty())
            std::printf("  (%s)\n", qPrintable(figure.note));
    }
    std::fflush(stdout);
}

void printSummary(const QList<Figure> &figures)
{
    int met = 0;
    QStringList missed;
    for (const Figure &figure : figures) {
        const std::optional<bool> reached = figure.met();
        if (reached && *reached)
            ++met;
        else if (reached)
            missed += figure.name;
    }
    std::printf("\ntargets met: %d, missed: %d", met, int(missed.size()));
    if (!missed.isEmpty())
        std::printf(" (%s)", qPrintable(missed.join(QStringLiteral(", "))));
    std::printf("\n");
}
