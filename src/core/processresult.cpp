// SPDX-License-Identifier: MIT
#include "processresult_p.h"

#include "processerror_p.h"

#include <QtCore/qdebug.h>

#include <string.h>

#include <algorithm>

namespace ProcessKit {

QString ProcessResultData::decoded(const QByteArray &encoded) const
{
    if (decoder)
        return decoder(encoded);
    QStringDecoder convert(encoding);
    QString text = convert(encoded);
    return text;
}

ProcessResult ProcessResultData::notStarted(const ProcessError &error)
{
    ProcessResult result;
    result.d->program = error.program();
    result.d->error = error;
    if (error.kind() == ProcessError::Kind::Cancelled)
        result.d->outcome = Outcome::Cancelled;
    return result;
}

ProcessResult ProcessResultData::cancelled(const QString &program)
{
    ProcessResult result;
    result.d->program = program;
    result.d->outcome = Outcome::Cancelled;
    return result;
}

ProcessResult::ProcessResult() : d(new ProcessResultData) { }
ProcessResult::ProcessResult(ProcessResultData *data) : d(data) { }
ProcessResult::ProcessResult(const ProcessResult &other) = default;
ProcessResult::ProcessResult(ProcessResult &&other) noexcept = default;
ProcessResult &ProcessResult::operator=(const ProcessResult &other) = default;
ProcessResult &ProcessResult::operator=(ProcessResult &&other) noexcept = default;
ProcessResult::~ProcessResult() = default;

QString ProcessResult::program() const
{
    return d->program;
}

Outcome ProcessResult::outcome() const noexcept
{
    return d->outcome;
}

std::optional<int> ProcessResult::exitCode() const noexcept
{
    return d->outcome == Outcome::Exited ? std::optional(d->code) : std::nullopt;
}

std::optional<int> ProcessResult::signal() const noexcept
{
    return d->outcome == Outcome::Signalled ? std::optional(d->code) : std::nullopt;
}

QString ProcessResult::signalName() const
{
    const char *name = d->outcome == Outcome::Signalled ? ::sigabbrev_np(d->code) : nullptr;
    return name ? QLatin1String("SIG") + QLatin1String(name) : QString();
}

bool ProcessResult::isSuccess() const noexcept
{
    return d->outcome == Outcome::Exited && d->successCodes.contains(d->code) && !d->error;
}

bool ProcessResult::timedOut() const noexcept
{
    return d->outcome == Outcome::TimedOut || d->outcome == Outcome::WentQuiet;
}

ProcessError ProcessResult::error() const
{
    using Kind = ProcessError::Kind;
    if (isSuccess())
        return {};
    const bool otherwiseFine = d->outcome == Outcome::Exited && d->successCodes.contains(d->code);
    if (d->outcome == Outcome::NotStarted || otherwiseFine
        || (d->outcome == Outcome::Cancelled && d->error))
        return d->error;
    auto *error = new ProcessErrorData;
    error->program = d->program;
    switch (d->outcome) {
    case Outcome::Exited:
        error->kind = Kind::Exit;
        error->operation = QStringLiteral("exit code %1").arg(d->code);
        error->exitCode = d->code;
        break;
    case Outcome::Signalled:
        error->kind = Kind::Signalled;
        error->operation = signalName();
        error->signal = d->code;
        break;
    case Outcome::TimedOut:
        error->kind = Kind::Timeout;
        error->operation = d->timeout.count() >= 0
                ? QStringLiteral("timeout after %1 ms").arg(d->timeout.count())
                : QStringLiteral("timeout");
        break;
    case Outcome::WentQuiet:
        error->kind = Kind::InactivityTimeout;
        error->operation = QStringLiteral("no output for too long");
        break;
    case Outcome::Cancelled:
        error->kind = Kind::Cancelled;
        error->operation = QStringLiteral("cancelled");
        return ProcessError(error);
    default:
        error->kind = Kind::Spawn;
        error->operation = QStringLiteral("the exit was not observed");
        break;
    }
    error->standardOutput = standardOutput();
    error->standardError = standardError();
    return ProcessError(error);
}

Expected<ProcessResult> ProcessResult::ensureSuccess() const
{
    const ProcessError problem = error();
    return problem ? Expected<ProcessResult>(problem) : Expected<ProcessResult>(*this);
}

QString ProcessResult::standardOutput() const
{
    return d->decoded(d->bytes[0]);
}

QString ProcessResult::standardError() const
{
    return d->decoded(d->bytes[1]);
}

QByteArray ProcessResult::standardOutputBytes() const
{
    return d->bytes[0];
}

QByteArray ProcessResult::standardErrorBytes() const
{
    return d->bytes[1];
}

QString ProcessResult::combinedOutput() const
{
    if (d->order.isEmpty()) {
        const QString output = standardOutput();
        const QString errors = standardError();
        const bool needsLineEnd = !output.isEmpty() && !errors.isEmpty() && !output.endsWith(u'\n');
        return needsLineEnd ? output + u'\n' + errors : output + errors;
    }
    QByteArray combined;
    combined.reserve(d->bytes[0].size() + d->bytes[1].size());
    qint64 taken[2] = { 0, 0 };
    for (const ProcessResultData::Piece &piece : std::as_const(d->order)) {
        const QByteArray &bytes = d->bytes[std::size_t(piece.channel)];
        combined.append(bytes.constData() + taken[piece.channel], piece.length);
        taken[piece.channel] += piece.length;
    }
    return d->decoded(combined);
}

QString ProcessResult::diagnostic() const
{
    const QString errors = standardError();
    return errors.trimmed().isEmpty() ? standardOutput() : errors;
}

bool ProcessResult::containsAny(const QStringList &texts) const
{
    const QString output = standardOutput();
    const QString errors = standardError();
    return std::any_of(texts.begin(), texts.end(), [&](const QString &text) {
        return output.contains(text, Qt::CaseInsensitive)
                || errors.contains(text, Qt::CaseInsensitive);
    });
}

qint64 ProcessResult::standardOutputByteCount() const noexcept
{
    return d->byteCounts[0];
}

qint64 ProcessResult::standardErrorByteCount() const noexcept
{
    return d->byteCounts[1];
}

qint64 ProcessResult::standardOutputLineCount() const noexcept
{
    return d->lineCounts[0];
}

qint64 ProcessResult::standardErrorLineCount() const noexcept
{
    return d->lineCounts[1];
}

bool ProcessResult::isTruncated() const noexcept
{
    return d->truncated;
}

bool ProcessResult::streamsCut() const noexcept
{
    return d->cut;
}

std::chrono::nanoseconds ProcessResult::duration() const noexcept
{
    return d->duration;
}

int ProcessResult::attempts() const noexcept
{
    return d->attempts;
}

QList<ProcessInfo> ProcessResult::leftovers() const
{
    return d->leftovers;
}

Mechanism ProcessResult::mechanism() const noexcept
{
    return d->mechanism;
}

std::optional<ResourceUsage> ProcessResult::resourceUsage() const noexcept
{
    return d->usage;
}

bool operator==(const ProcessResult &a, const ProcessResult &b) noexcept
{
    if (a.d == b.d)
        return true;
    return a.d->program == b.d->program && a.d->outcome == b.d->outcome && a.d->code == b.d->code
            && a.d->bytes == b.d->bytes && a.d->error == b.d->error
            && a.d->truncated == b.d->truncated && a.d->cut == b.d->cut
            && a.d->duration == b.d->duration && a.d->leftovers == b.d->leftovers;
}

#ifndef QT_NO_DEBUG_STREAM
QDebug operator<<(QDebug debug, const ProcessResult &result)
{
    // what was written may be secret; how much it was is not
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ProcessResult(" << result.outcome();
    if (const auto code = result.exitCode())
        debug << ", code " << *code;
    if (result.signal())
        debug << ", " << result.signalName();
    debug << ", " << result.standardOutputByteCount() << " + " << result.standardErrorByteCount()
          << " bytes" << (result.isTruncated() ? ", truncated" : "") << ')';
    return debug;
}
#endif

} // namespace ProcessKit
