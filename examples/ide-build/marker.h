// SPDX-License-Identifier: MIT
#ifndef MARKER_H
#define MARKER_H

#include <QProcessEnvironment>
#include <QSet>
#include <QString>

#include <chrono>

// Finds the processes of a build without asking whoever started them: by an environment variable
// with a unique value, which each descendant inherits, however it forked and whatever session or
// process group it moved to.
class Marker
{
public:
    Marker();
    explicit Marker(const QString &value);

    QString value() const { return m_value; }
    QProcessEnvironment environment() const;

    QSet<qint64> processes() const;
    bool waitUntilGone(std::chrono::milliseconds limit) const;
    void killAll() const;

private:
    QString m_value;
};

#endif // MARKER_H
