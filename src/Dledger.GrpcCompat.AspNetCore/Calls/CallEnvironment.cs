using Dledger.GrpcCompat.AspNetCore.Binding;
using Microsoft.Extensions.Logging;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>What all calls of one service share.</summary>
internal sealed record CallEnvironment(ServiceSettings Settings, DeadlinePool Deadlines, ILogger Logger);
