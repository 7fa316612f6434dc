using Apache.Rocketmq.V2;
using Dledger.Broker;
using Dledger.Broker.Filtering;
using Dledger.Broker.Naming;
using Dledger.Broker.Routes;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using TopicRoute = Dledger.Protocol.Admin.V1.TopicRoute;

namespace Dledger.Frontend.Administration;

/// <summary>What the administration does with the routes of topics, on the leader.</summary>
internal sealed class RouteAdministration(BrokerNode broker)
{
    public async ValueTask<LocalOutcome<AddTopicRouteResponse>> AddAsync(
        AddTopicRouteRequest request, CancellationToken cancellationToken)
    {
        var asked = request.Route ?? new TopicRoute();
        if (!TryParse(asked.Filter, out var filter, out var violation))
        {
            return new AddTopicRouteResponse { Status = StatusMapping.AdminOf(violation) };
        }

        var (route, failure) = await broker.AddRouteAsync(
            new RouteSpec(asked.Topic, asked.Name, asked.Target, filter), request.DryRun, cancellationToken);
        return route is null
            ? failure!.Value
            : new AddTopicRouteResponse { Status = StatusMapping.AdminOk(), Route = ToWire(route) };
    }

    public async ValueTask<LocalOutcome<RemoveTopicRouteResponse>> RemoveAsync(
        RemoveTopicRouteRequest request, CancellationToken cancellationToken) =>
        await broker.RemoveRouteAsync(request.Topic, request.Name, request.DryRun, cancellationToken) is { } failure
            ? failure
            : new RemoveTopicRouteResponse { Status = StatusMapping.AdminOk() };

    public async ValueTask<LocalOutcome<ListTopicRoutesResponse>> ListAsync(
        ListTopicRoutesRequest request, CancellationToken cancellationToken)
    {
        var (routes, failure) = await broker.ListRoutesAsync(request.Topic.Length == 0 ? null : request.Topic, cancellationToken);
        if (failure is { } refused)
        {
            return refused;
        }

        var response = new ListTopicRoutesResponse { Status = StatusMapping.AdminOk() };
        response.Routes.AddRange(routes.Select(ToWire));
        return response;
    }

    private static bool TryParse(FilterExpression? expression, out MessageFilter filter, out Violation violation)
    {
        filter = MessageFilter.All;
        violation = default;
        switch (expression?.Type)
        {
            case null:
                return true;
            case FilterType.Tag:
                return MessageFilter.TryParseTags(expression.Expression, out filter, out violation);
            case FilterType.Sql:
                return MessageFilter.TryParseSql(expression.Expression, out filter, out violation);
            default:
                violation = new Violation(
                    BrokenRule.FilterExpression, $"the filter type {(int)expression.Type} does not exist; there are TAG and SQL");
                return false;
        }
    }

    private static TopicRoute ToWire(RouteSpec route) => new()
    {
        Topic = route.Source,
        Name = route.Name,
        Target = route.Target,
        Filter = new FilterExpression
        {
            Type = route.Filter.Sql is null ? FilterType.Tag : FilterType.Sql,
            Expression = route.Filter.Sql ?? route.Filter.Text,
        },
    };
}
