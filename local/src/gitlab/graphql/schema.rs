//! The part of GitLab's GraphQL schema that the hub asks for: <https://docs.gitlab.com/api/graphql/reference/>.

use async_graphql::{ComplexObject, Context, Enum, Error, ID, Object, Result, SimpleObject};

use super::containers::{ContainerRepository, ContainerRepositoryID};
use super::pages::{Field, Order, ProjectConnection, Window};
use super::repository::Repository;
use crate::gitlab::caller::Caller;
use crate::gitlab::repository::Repository as Content;
use crate::gitlab::state::{Account, Project as ProjectState, Role, State, Visibility};
use crate::gitlab::world::World;

/// The most complex query, in GitLab's points: of who signed in, and of anonymous callers.
const MAX_COMPLEXITY: usize = 250;
const MAX_ANONYMOUS_COMPLEXITY: usize = 200;

/// What every resolver needs: the world, and who is asking.
#[derive(Clone)]
pub struct Viewer {
    pub caller: Caller,
    pub world: World,
    pub base: String,
}

impl Viewer {
    pub fn account(&self) -> Option<&Account> {
        self.caller.account.as_ref()
    }

    /// How complex a query may be.
    pub fn complexity_limit(&self) -> usize {
        let usual = if self.account().is_some() { MAX_COMPLEXITY } else { MAX_ANONYMOUS_COMPLEXITY };
        self.world.complexity_limit().unwrap_or(usual)
    }

    pub fn project(&self, state: &State, project: &ProjectState) -> Option<Project> {
        let permissions = state.permissions(self.account(), project);
        let role = self.account().and_then(|account| state.project_role(account.id, project));
        permissions.read.then(|| Project {
            number: project.id,
            id: ID(gid(project.id)),
            name: project.name.clone(),
            path: project.path.rsplit('/').next().unwrap_or_default().to_owned(),
            full_path: ID(project.path.clone()),
            description: project.description.clone(),
            visibility: project.visibility.as_str(),
            created_at: project.created_at.clone(),
            updated_at: project.last_activity_at.clone(),
            last_activity_at: project.last_activity_at.clone(),
            archived: project.archived,
            topics: project.topics.clone(),
            star_count: i32::try_from(state.stars(project)).unwrap_or(i32::MAX),
            web_url: format!("{}/{}", self.base, project.path),
            user_permissions: ProjectPermissions {
                download_code: permissions.download,
                push_code: permissions.push,
                admin_project: permissions.admin,
                read_project: permissions.read,
            },
            max_access_level: AccessLevel {
                integer_value: role.map_or(0, Role::level),
                string_value: AccessLevelEnum::from(role),
            },
        })
    }
}

pub struct Query;

#[Object]
impl Query {
    /// The user behind the credential; null for anonymous callers.
    async fn current_user(&self, context: &Context<'_>) -> Result<Option<UserCore>> {
        let viewer = context.data::<Viewer>()?;
        Ok(viewer.account().map(|account| UserCore {
            number: account.id,
            id: ID(format!("gid://gitlab/User/{}", account.id)),
            username: account.username.clone(),
            name: account.name.clone(),
        }))
    }

    /// The project of this path; null when there is none or it is hidden.
    async fn project(&self, context: &Context<'_>, full_path: ID) -> Result<Option<Project>> {
        let viewer = context.data::<Viewer>()?;
        Ok(viewer.world.read(|state| {
            let project = state.project_at(&full_path)?;
            viewer.project(state, project)
        }))
    }

    /// A container image; null when there is none or it is hidden.
    async fn container_repository(
        &self,
        context: &Context<'_>,
        id: ContainerRepositoryID,
    ) -> Result<Option<ContainerRepository>> {
        ContainerRepository::find(context.data::<Viewer>()?, &id)
    }

    /// Visible projects, in pages.
    #[expect(clippy::too_many_arguments, reason = "one argument each, as in GitLab's schema")]
    async fn projects(
        &self,
        context: &Context<'_>,
        membership: Option<bool>,
        ids: Option<Vec<ID>>,
        full_paths: Option<Vec<String>>,
        search: Option<String>,
        search_namespaces: Option<bool>,
        topics: Option<Vec<String>>,
        visibility_level: Option<VisibilityLevelsEnum>,
        min_access_level: Option<AccessLevelEnum>,
        archived: Option<ProjectArchived>,
        sort: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        after: Option<String>,
        before: Option<String>,
    ) -> Result<ProjectConnection> {
        let viewer = context.data::<Viewer>()?;
        let ids = ids.map(|ids| ids.iter().map(project_id).collect::<Result<Vec<u64>>>()).transpose()?;
        let order = Order::parse(sort.as_deref().unwrap_or("id_desc"))?;
        let window = Window::parse(first, last, after, before)?;
        viewer.world.read(|state| {
            let role = |p: &ProjectState| viewer.account().and_then(|account| state.project_role(account.id, p));
            let text = search.map(|text| text.to_lowercase());
            let found = state
                .projects
                .iter()
                .filter(|p| state.permissions(viewer.account(), p).read)
                .filter(|p| membership != Some(true) || role(p).is_some())
                .filter(|p| ids.as_ref().is_none_or(|ids| ids.contains(&p.id)))
                .filter(|p| full_paths.as_ref().is_none_or(|all| all.iter().any(|f| f.eq_ignore_ascii_case(&p.path))))
                .filter(|p| topics.as_ref().is_none_or(|all| all.iter().all(|topic| p.topics.contains(topic))))
                .filter(|p| visibility_level.is_none_or(|level| Visibility::from(level) == p.visibility))
                .filter(|p| min_access_level.is_none_or(|least| AccessLevelEnum::from(role(p)) >= least))
                .filter(|p| match archived {
                    Some(ProjectArchived::Only) => p.archived,
                    Some(ProjectArchived::Exclude) => !p.archived,
                    Some(ProjectArchived::Include) | None => true,
                })
                .filter(|p| {
                    let own = p.path.rsplit('/').next().unwrap_or_default();
                    let path = if search_namespaces == Some(true) { &p.path } else { own };
                    let all = format!("{path}\n{}\n{}", p.name, p.description).to_lowercase();
                    text.as_ref().is_none_or(|part| all.contains(part))
                });
            Ok(window.page(viewer, state, found.collect(), &order))
        })
    }
}

/// The number in `gid://gitlab/Project/N`.
fn project_id(id: &ID) -> Result<u64> {
    let number = id.strip_prefix("gid://gitlab/Project/").and_then(|number| number.parse().ok());
    number.ok_or_else(|| Error::new(format!("\"{}\" is not a valid GitLab ID.", id.as_str())))
}

fn gid(id: u64) -> String {
    format!("gid://gitlab/Project/{id}")
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct UserCore {
    #[graphql(skip)]
    number: u64,
    id: ID,
    username: String,
    name: String,
}

#[ComplexObject]
impl UserCore {
    /// The visible ones among the projects that the user has starred.
    async fn starred_projects(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        last: Option<i32>,
        after: Option<String>,
        before: Option<String>,
    ) -> Result<ProjectConnection> {
        let viewer = context.data::<Viewer>()?;
        let window = Window::parse(first, last, after, before)?;
        Ok(viewer.world.read(|state| {
            let is_starred = |p: &&ProjectState| {
                state.account(self.number).is_some_and(|account| account.starred.contains(&p.id))
                    && state.permissions(viewer.account(), p).read
            };
            let order = Order { by: Field::Id, ascending: false };
            window.page(viewer, state, state.projects.iter().filter(is_starred).collect(), &order)
        }))
    }
}

#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct Project {
    #[graphql(skip)]
    number: u64,
    id: ID,
    name: String,
    path: String,
    full_path: ID,
    description: String,
    visibility: &'static str,
    created_at: String,
    updated_at: String,
    last_activity_at: String,
    archived: bool,
    topics: Vec<String>,
    star_count: i32,
    web_url: String,
    user_permissions: ProjectPermissions,
    max_access_level: AccessLevel,
}

#[ComplexObject]
impl Project {
    /// Null for who may not read the code.
    async fn repository(&self, context: &Context<'_>) -> Result<Option<Repository>> {
        let viewer = context.data::<Viewer>()?;
        Ok(viewer.world.read(|state| {
            let project = state.project(self.number)?;
            state.permissions(viewer.account(), project).download.then(|| Repository {
                content: Content::of(project),
                branch: project.default_branch.clone(),
                web_path: format!("/{}", project.path),
            })
        }))
    }
}

#[derive(SimpleObject, Clone)]
struct ProjectPermissions {
    download_code: bool,
    push_code: bool,
    admin_project: bool,
    read_project: bool,
}

#[derive(SimpleObject, Clone)]
struct AccessLevel {
    integer_value: i32,
    string_value: AccessLevelEnum,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AccessLevelEnum {
    NoAccess,
    MinimalAccess,
    Guest,
    Planner,
    Reporter,
    Developer,
    Maintainer,
    Owner,
}

impl From<Option<Role>> for AccessLevelEnum {
    fn from(role: Option<Role>) -> Self {
        match role {
            None => AccessLevelEnum::NoAccess,
            Some(Role::Guest) => AccessLevelEnum::Guest,
            Some(Role::Planner) => AccessLevelEnum::Planner,
            Some(Role::Reporter) => AccessLevelEnum::Reporter,
            Some(Role::Developer) => AccessLevelEnum::Developer,
            Some(Role::Maintainer) => AccessLevelEnum::Maintainer,
            Some(Role::Owner) => AccessLevelEnum::Owner,
        }
    }
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(rename_items = "lowercase")]
enum VisibilityLevelsEnum {
    Private,
    Internal,
    Public,
}

impl From<VisibilityLevelsEnum> for Visibility {
    fn from(level: VisibilityLevelsEnum) -> Self {
        match level {
            VisibilityLevelsEnum::Private => Visibility::Private,
            VisibilityLevelsEnum::Internal => Visibility::Internal,
            VisibilityLevelsEnum::Public => Visibility::Public,
        }
    }
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum ProjectArchived {
    Only,
    Include,
    Exclude,
}
