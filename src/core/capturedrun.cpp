// SPDX-License-Identifier: MIT
#include "capturedrun_p.h"

#include "texts_p.h"

#include <errno.h>

namespace ProcessKit {

using namespace std::chrono_literals;

namespace {

// The run goes on without one that has failed.
void copyTo(std::shared_ptr<QIODevice> *tee, QByteArrayView bytes)
{
    if (*tee && (*tee)->write(bytes.data(), bytes.size()) != bytes.size())
        tee->reset();
}

} // namespace

Outcome toOutcome(Verdict verdict)
{
    switch (verdict) {
    case Verdict::TimedOut:
        return Outcome::TimedOut;
    case Verdict::WentQuiet:
        return Outcome::WentQuiet;
    case Verdict::Cancelled:
        break;
    }
    return Outcome::Cancelled;
}

CapturedRun::CapturedRun(const Command &command, std::function<bool(QStringView)> until)
    : m_command(command),
      m_until(std::move(until)),
      m_tees(command.d->tees),
      m_textTees(command.d->textTees)
{
    const CommandData &data = *command.d;
    for (std::size_t channel : { 0, 1 }) {
        m_captures[channel].setPolicy(data.outputPolicy);
        if (!data.lineHandlers.isEmpty() || m_textTees[channel] || (m_until && channel == 0))
            m_splitters[channel].emplace(QProcess::ProcessChannel(channel), data.encoding);
    }
}

void CapturedRun::launch(RunSetup setup, std::function<void()> changed)
{
    m_changed = std::move(changed);
    m_run = ProcessRun::start(std::move(setup), [self = shared_from_this()](RunNews news) {
        self->handle(std::move(news));
    });
}

void CapturedRun::stop()
{
    if (m_run)
        m_run->forgetReceiver();
    m_changed = nullptr;
}

void CapturedRun::handle(RunNews news)
{
    for (std::size_t channel : { 0, 1 })
        takeOutput(channel, &news.bytes[channel]);
    m_news.append(std::move(news));
    if (const auto changed = m_changed) // which may say stop()
        changed();
}

// After an end that was ordered, the tree is gone as well.
bool CapturedRun::isDone() const
{
    const bool mustBeEmpty = m_news.verdict || m_foundLine;
    return m_news.failure || (m_news.finished && (!mustBeEmpty || m_news.emptied));
}

void CapturedRun::takeOutput(std::size_t channel, ByteQueue *bytes)
{
    while (!bytes->isEmpty()) {
        const QByteArrayView piece = bytes->first();
        m_captures[channel].append(piece);
        noteOrder(channel, piece.size());
        copyTo(&m_tees[channel], piece);
        if (m_splitters[channel]) {
            QList<OutputLine> lines;
            m_splitters[channel]->feed(piece, &lines, &m_lineNumber);
            tellLines(lines);
        }
        bytes->dropFront(piece.size());
    }
}

// Of output that is not all kept, nobody can be told in which order it came; nor may that grow.
void CapturedRun::noteOrder(std::size_t channel, qint64 length)
{
    if (m_captures[0].isTruncated() || m_captures[1].isTruncated())
        m_order.clear();
    else if (!m_order.isEmpty() && m_order.last().channel == int(channel))
        m_order.last().length += length;
    else
        m_order.append({ int(channel), length });
}

void CapturedRun::tellLines(const QList<OutputLine> &lines)
{
    for (const OutputLine &line : lines) {
        for (const Command::LineHandler &handler : m_command.d->lineHandlers)
            handler(line);
        copyLine(line);
        if (m_until && !m_foundLine && line.channel() == QProcess::StandardOutput
            && m_until(line.text())) {
            m_foundLine = line.toString();
            kill();
        }
    }
}

void CapturedRun::copyLine(const OutputLine &line)
{
    std::shared_ptr<QIODevice> *tee = &m_textTees[std::size_t(line.channel())];
    if (!*tee)
        return;
    QByteArray text = withTextPolicies(*m_command.d, line.toString()).toUtf8();
    if (!(line.flags() & (OutputLine::Fragment | OutputLine::Unterminated)))
        text += '\n';
    copyTo(tee, text);
}

void CapturedRun::cancel()
{
    m_run->cancel();
}

void CapturedRun::kill()
{
    m_run->kill();
}

void CapturedRun::end(Verdict verdict)
{
    m_run->end(verdict);
}

ProcessResult CapturedRun::takeResult(bool wholeOutputRequired)
{
    for (auto &splitter : m_splitters) {
        if (splitter) {
            QList<OutputLine> lines;
            splitter->finish(&lines, &m_lineNumber);
            tellLines(lines);
        }
    }
    auto *data = new ProcessResultData;
    ProcessResult result(data);
    fillIn(data);
    data->error = m_news.failure ? *m_news.failure : problemBeside(*data, wholeOutputRequired);
    return result;
}

void CapturedRun::fillIn(ProcessResultData *data)
{
    const CommandData &command = *m_command.d;
    data->setCommand(command);
    data->leftovers = m_news.leftovers.value_or(QList<ProcessInfo>());
    data->cut = m_news.cut;
    data->outcome = outcome();
    data->code = m_news.exit ? m_news.exit->code : 0;
    if (m_run) {
        data->mechanism = m_run->mechanism();
        data->duration = m_news.exit ? m_run->duration() : 0ns;
    }
    for (std::size_t channel : { 0, 1 }) {
        data->byteCounts[channel] = m_captures[channel].byteCount();
        data->lineCounts[channel] = m_captures[channel].lineCount();
        data->bytes[channel] = m_captures[channel].take();
        data->truncated |= m_captures[channel].isTruncated();
    }
    if (!data->truncated)
        data->order = std::move(m_order);
    if (command.redaction || command.removesEscapeSequences)
        applyTextPolicies(command, data);
    if (m_news.exit && m_news.exit->usage) {
        const rusage &usage = *m_news.exit->usage;
        const auto time = [](const timeval &value) {
            return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
        };
        data->usage = ResourceUsage{ time(usage.ru_utime), time(usage.ru_stime),
                                     qint64(usage.ru_maxrss) * 1024 };
        if (const auto whole = m_run->tree()->usage()) {
            data->usage->userTime = std::chrono::microseconds(whole->userMicroseconds.value_or(0));
            data->usage->systemTime =
                    std::chrono::microseconds(whole->systemMicroseconds.value_or(0));
        }
    }
    if (m_news.exit && m_news.exit->oomKills)
        data->oomKills = qint64(*m_news.exit->oomKills);
    if (m_foundLine)
        data->foundLine = withTextPolicies(command, *m_foundLine);
    if (m_foundLine && !m_news.verdict) {
        // we have ended it: it has done what was wanted
        data->outcome = Outcome::Exited;
        data->code = command.successCodes.first();
    }
}

Outcome CapturedRun::outcome() const
{
    if (m_news.verdict)
        return toOutcome(*m_news.verdict);
    if (m_news.failure)
        return Outcome::NotStarted;
    if (!m_news.exit || !m_news.exit->known)
        return Outcome::Unknown;
    return m_news.exit->signalled ? Outcome::Signalled : Outcome::Exited;
}

// What is wrong although the outcome may be right.
ProcessError CapturedRun::problemBeside(const ProcessResultData &data,
                                        bool wholeOutputRequired) const
{
    if (m_news.lost)
        return ProcessError(ProcessError::Kind::ContainmentLost, data.program,
                            QStringLiteral("its keeper was killed"), 0);
    const bool isTooMuch = m_captures[0].isTooMuch() || m_captures[1].isTooMuch()
            || (wholeOutputRequired && data.truncated);
    if (isTooMuch)
        return ProcessError(
                ProcessError::Kind::OutputTooLarge, data.program,
                QStringLiteral("output of %1 bytes").arg(data.byteCounts[0] + data.byteCounts[1]),
                0);
    if (m_news.writeError == ENODEV)
        return ProcessError(ProcessError::Kind::Input, data.program,
                            QStringLiteral("the device of the input was destroyed"), 0);
    if (m_news.writeError && m_news.writeError != EPIPE) // who does not read on does not want it
        return ProcessError(ProcessError::Kind::Input, data.program,
                            QStringLiteral("write to standard input"), m_news.writeError);
    return {};
}

} // namespace ProcessKit
