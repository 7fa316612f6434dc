using System.IO.Pipelines;
using System.Net;
using Dledger.GrpcCompat.Tests.Interop;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dledger.GrpcCompat.Tests.Server;

/// <summary>Clients that go away are everyday life, and no line of an error log.</summary>
public sealed class LostClientTests
{
    [Theory]
    [InlineData("/grpc.testing.TestService/UnaryCall")]
    [InlineData("/grpc.testing.TestService/StreamingOutputCall")]
    [InlineData("/grpc.testing.TestService/FullDuplexCall")]
    public async Task A_request_that_breaks_off_is_not_logged_as_an_error(string path)
    {
        var service = new ScriptedService
        {
            Duplex = async (requests, _, _) => await requests.MoveNext(CancellationToken.None),
        };
        using var log = new ErrorLog();
        await using (var server = await InteropServer.StartAsync<ScriptedService>(
            services: services => services.AddSingleton(service).AddSingleton<ILoggerProvider>(log),
            application: application => application.Use((context, next) =>
            {
                // As the server's own body does, often before the token of the request is cancelled.
                context.Features.Set<IRequestBodyPipeFeature>(new BrokenBody());
                return next(context);
            })))
        {
            using var raw = new RawCall(server.Address);
            var answer = await raw.SendAsync(path, RawCall.Frame([]));
            Assert.Equal((int)HttpStatusCode.OK, answer.HttpStatus);
        }

        Assert.Empty(log.Errors);
    }

    private sealed class BrokenBody : PipeReader, IRequestBodyPipeFeature
    {
        public PipeReader Reader => this;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            throw new IOException("The client reset the request stream.");

        public override bool TryRead(out ReadResult result) => throw new IOException("The client reset the request stream.");

        public override void AdvanceTo(SequencePosition consumed)
        {
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
        }

        public override void CancelPendingRead()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        private readonly List<string> _errors = [];

        public IReadOnlyList<string> Errors
        {
            get
            {
                lock (_errors)
                {
                    return [.. _errors];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            lock (_errors)
            {
                _errors.Add($"{eventId.Id} {formatter(state, exception)}: {exception?.Message}");
            }
        }

        public void Dispose()
        {
        }
    }
}
