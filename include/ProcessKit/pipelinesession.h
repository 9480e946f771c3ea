// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PIPELINESESSION_H
#define PROCESSKIT_PIPELINESESSION_H

#include <ProcessKit/pipeline.h>

#include <QtCore/qobject.h>

namespace ProcessKit {

class PipelineSessionPrivate;

class PROCESSKIT_EXPORT PipelineSession : public QObject
{
    Q_OBJECT
    Q_PROPERTY(bool running READ isRunning NOTIFY runningChanged)

public:
    explicit PipelineSession(QObject *parent = nullptr);
    ~PipelineSession() override;

    void start(const Pipeline &pipeline);
    bool isRunning() const;
    ProcessResult result() const;
    QFuture<ProcessResult> future() const;

public Q_SLOTS:
    void cancel();

Q_SIGNALS:
    void linesReady(const QList<ProcessKit::OutputLine> &lines);
    void finished(const ProcessKit::ProcessResult &result);
    void runningChanged(bool running);

private:
    Q_DISABLE_COPY_MOVE(PipelineSession)
    std::unique_ptr<PipelineSessionPrivate> d;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PIPELINESESSION_H
