// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSRESULT_P_H
#define PROCESSKIT_PROCESSRESULT_P_H

#include "command_p.h"

namespace ProcessKit {

class ProcessResultData : public QSharedData
{
public:
    // A piece of the combined output.
    struct Piece
    {
        int channel = 0;
        qint64 length = 0;
    };

    QString program;
    Outcome outcome = Outcome::NotStarted;
    int code = 0; // exit code or signal number
    QList<int> successCodes{ 0 };
    ProcessError error; // of a start that failed, or of what went wrong beside the outcome
    std::array<QByteArray, 2> bytes;
    QList<Piece> order;
    std::array<qint64, 2> byteCounts{};
    std::array<qint64, 2> lineCounts{};
    QStringConverter::Encoding encoding = QStringConverter::Utf8;
    std::function<QString(const QByteArray &)> decoder;
    bool truncated = false;
    bool cut = false;
    std::chrono::nanoseconds duration{ 0 };
    std::chrono::milliseconds timeout{ -1 };
    int attempts = 0;
    QList<ProcessInfo> leftovers;
    Mechanism mechanism = Mechanism::None;
    std::optional<ResourceUsage> usage;
    std::optional<qint64> oomKills;
    std::optional<QString> foundLine; // by a verb that looks for one

    bool isMade = false; // by hand, not by a run

    // takes over what decides how the rest is understood
    void setCommand(const CommandData &command);
    QString decoded(const QByteArray &encoded) const;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSRESULT_P_H
